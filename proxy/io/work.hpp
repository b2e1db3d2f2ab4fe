#pragma once
// What control asks of its io_context beside alarms: to be there, to run, to stop, and to say when
// there is something to read. So that those who ask need not know Asio.
//
// Owner    OwnedIo: run(). ReadableWatch: whoever waits. Thread: that of the io_context, which
//          outlives the watch.

#include <boost/system/error_code.hpp>
#include <functional>
#include <memory>

#include "base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::io {

class ControlWatch;

struct EndIo {
  void operator()(boost::asio::io_context* io) const;
};
using OwnedIo = std::unique_ptr<boost::asio::io_context, EndIo>;

// For a single thread.
OwnedIo make_io();
// Until stop_work(); also ends where nothing is waited for any more. Tells the watch how long each
// call took: by the clock, and the first one after a wait, whose end nobody sees, by the time that
// the processor spent on it.
void run_work(boost::asio::io_context& io, ControlWatch& watch);
// One call, if one is due within `patience`.
void run_one_call(boost::asio::io_context& io, base::Duration patience);
void stop_work(boost::asio::io_context& io);

// A descriptor of somebody else, who outlives the watch: it is let go of at the end, never closed.
//
// Calls    never within a call of ours. One that was about to happen is not taken back, neither by
//          cancel() nor by the end of the watch: it has to find out by itself whether it still may.
class ReadableWatch {
 public:
  explicit ReadableWatch(boost::asio::io_context& io);
  ReadableWatch(const ReadableWatch&) = delete;
  ReadableWatch& operator=(const ReadableWatch&) = delete;
  ~ReadableWatch();

  // Once, before anything is waited for. Errors: those of epoll, and then it is not open.
  boost::system::error_code open(int descriptor);
  bool is_open() const;
  // Calls once, as soon as there is something to read. Only where it is open.
  void wait(std::function<void()> readable);
  void cancel();

 private:
  struct Descriptor;  // Asio's own type stays in the .cpp
  const std::unique_ptr<Descriptor> descriptor_;
};

}  // namespace penstock::io

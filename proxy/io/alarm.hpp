#pragma once
// What is to happen later on the thread of an io_context: a timer, and a call that is put off. So
// that those who wait need not know Asio.
//
// Owner    whoever waits. Thread: that of the io_context, which outlives the alarm; call_later() by
//          anyone.
// Calls    never within a call of ours. One that was about to happen is not taken back, neither by
//          cancel() nor by the end of the alarm: it has to find out by itself whether it still may.

#include <functional>
#include <memory>

#include "base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::io {

class Alarm {
 public:
  explicit Alarm(boost::asio::io_context& io);
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm();

  // In the place of what was set before.
  void set(base::Duration after, std::function<void()> ring);
  void cancel();

 private:
  struct Timer;  // Asio's own type stays in the .cpp
  const std::unique_ptr<Timer> timer_;
};

// Soon, after what is due already.
void call_later(boost::asio::io_context& io, std::function<void()> call);

}  // namespace penstock::io

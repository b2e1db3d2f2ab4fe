#pragma once
// The signals of `run`, as calls on the control thread.
//
// Owner    run(). Made before the first thread, so that from then on no signal has its default
//          action; what comes before listen() is kept.

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>

namespace penstock::control {

enum class Signal { stop, reload, reopen_logs, upgrade };

class Signals {
 public:
  explicit Signals(boost::asio::io_context& io);
  void listen(std::function<void(Signal, const char* name)> handler);
  void stop_listening();

 private:
  void wait();
  boost::asio::signal_set set_;
  std::function<void(Signal, const char*)> handler_;
};

}  // namespace penstock::control

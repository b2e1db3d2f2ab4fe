#pragma once
// The signals of `run`, as calls on the control thread. What they do: control/lifecycle.
//
// Owner    run(). What came since the first instruction of main was held (os/signals.hpp) and is
//          told first; what comes after the end of this object is held to the end of the process.

#include <functional>

#include "io/work.hpp"
#include "os/signals.hpp"

namespace penstock::control {

enum class Signal { stop, reload, reopen_logs, upgrade };

class Signals {
 public:
  // Throws boost::system::system_error where no descriptor is left.
  explicit Signals(boost::asio::io_context& io);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Once.
  void listen(std::function<void(Signal, const char* name)> handler);

 private:
  void wait();
  void take_all();

  const os::SignalQueue queue_;
  io::ReadableWatch watch_;
  std::function<void(Signal, const char*)> handler_;
};

}  // namespace penstock::control

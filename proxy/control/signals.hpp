#pragma once
// The signals of `run`, as calls on the control thread.
//
// Owner    run(). Made before the first thread, so that from then on no signal has its default
//          action; what comes before listen() is kept.

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace penstock::control {

enum class Signal { stop, reload, reopen_logs, upgrade };

class Signals {
 public:
  explicit Signals(boost::asio::io_context& io);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  void listen(std::function<void(Signal, const char* name)> handler);
  void stop_listening();

 private:
  struct Set;  // Asio's own type stays in the .cpp

  void wait();

  const std::unique_ptr<Set> set_;
  std::function<void(Signal, const char*)> handler_;
};

}  // namespace penstock::control

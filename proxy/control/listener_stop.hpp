#pragma once
// How the listeners end in a drain: those that are endpoints of our own (a file server behind a
// listener of the same process) last. Who was let in at the others has yet to reach them.
//
// Owner    Lifecycle. Thread: control.

#include <functional>
#include <vector>

#include "base/time.hpp"
#include "io/alarm.hpp"

namespace penstock::runtime {
class Server;
}
namespace penstock::upstream {
class Registry;
}

namespace penstock::control {

class ListenerStop {
 public:
  ListenerStop(boost::asio::io_context& io, const upstream::Registry& registry,
               runtime::Server& server);
  ListenerStop(const ListenerStop&) = delete;
  ListenerStop& operator=(const ListenerStop&) = delete;

  // Once. `outer_closed` is called when nobody comes in any more but from ourselves, `all_closed`
  // when the last listener is closed, neither before begin() has returned.
  void begin(std::function<void()> outer_closed, std::function<void()> all_closed);

 private:
  void stop_inner();
  bool everybody_has_dialled();
  bool forwarders_have_answered() const;

  boost::asio::io_context& io_;
  const upstream::Registry& registry_;
  runtime::Server& server_;
  io::Alarm look_;
  std::vector<bool> inner_;  // by the listener's index
  std::function<void()> all_closed_;
  base::Instant asked_{};  // when the forwarders were asked for a sign
  int rounds_ = 0;         // of all forwarders, since the others were closed
};

}  // namespace penstock::control

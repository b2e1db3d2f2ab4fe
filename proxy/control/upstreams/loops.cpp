#include "control/upstreams/loops.hpp"

namespace penstock::control {

config::OwnSockets looping_sockets(const std::vector<runtime::ListenerSpec>& listeners) {
  config::OwnSockets sockets;
  for (const runtime::ListenerSpec& listener : listeners) {
    if (listener.session.files.has_value()) continue;
    for (const os::SocketAddress& address : listener.addresses)
      sockets.add({.bound = {address, listener.listen.v6_only},
                   .owner = listener.session.name,
                   .is_loop = true});
  }
  return sockets;
}

}  // namespace penstock::control

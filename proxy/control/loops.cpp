#include "control/loops.hpp"

#include "control/config_addresses.hpp"

namespace penstock::control {

const runtime::ListenerSpec* looping_listener(const std::vector<runtime::ListenerSpec>& listeners,
                                              const os::SocketAddress& endpoint) {
  for (const runtime::ListenerSpec& listener : listeners) {
    if (listener.session.files.has_value()) continue;
    for (const os::SocketAddress& address : listener.addresses)
      if (reaches(endpoint, {address, listener.listen.v6_only})) return &listener;
  }
  return nullptr;
}

}  // namespace penstock::control

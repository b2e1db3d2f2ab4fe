#pragma once
// Which network devices carry the listeners.
//
// Thread   any that may read /sys and ask for the host's addresses: start-up and control.

#include <vector>

#include "os/address.hpp"
#include "os/network_device.hpp"

namespace penstock::runtime {

// The devices on which connections to these addresses, by listener, arrive.
std::vector<os::NetworkDevice> devices_at(
    const std::vector<std::vector<os::SocketAddress>>& addresses);

}  // namespace penstock::runtime

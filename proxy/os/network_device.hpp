#pragma once
// The network devices of this machine and the NUMA nodes at which they are plugged in.

#include <optional>
#include <string>
#include <vector>

#include "os/address.hpp"

namespace penstock::os {

struct NetworkDevice {
  std::string name{};         // printable: the kernel lets an interface be named almost anything
  std::optional<int> node{};  // empty: the kernel does not know, or there is no hardware behind it
};

// All of /sys/class/net below a root path, by name. A bond, a bridge or a VLAN is on the node of
// the devices below it, where these agree.
std::vector<NetworkDevice> network_devices(const std::string& root = "/");

// The names of the devices that bear this address; of all for one that says "any". None for a unix
// socket, and where the kernel does not say.
std::vector<std::string> devices_of(const SocketAddress& address);

}  // namespace penstock::os

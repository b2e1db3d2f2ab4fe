#include "runtime/devices.hpp"

#include <set>
#include <string>
#include <utility>

namespace penstock::runtime {

std::vector<os::NetworkDevice> devices_at(
    const std::vector<std::vector<os::SocketAddress>>& addresses) {
  std::set<std::string> names;
  for (const auto& of_listener : addresses)
    for (const os::SocketAddress& address : of_listener)
      for (std::string& name : os::devices_of(address)) names.insert(std::move(name));
  std::vector<os::NetworkDevice> devices = os::network_devices();
  std::erase_if(devices, [&](const auto& device) { return !names.contains(device.name); });
  return devices;
}

}  // namespace penstock::runtime

#include "os/network_device.hpp"

#include <ifaddrs.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/text.hpp"
#include "os/process.hpp"

namespace penstock::os {

namespace {

constexpr std::string_view lower_prefix = "lower_";
constexpr int stack_depth_max = 8;  // of VLANs on bonds on ...

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry{directory, error}, end; !error && entry != end;
       entry.increment(error))
    names.push_back(entry->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<int> node_of_device(const std::string& folder, const std::string& name, int depth) {
  const std::string path = folder + '/' + name;
  const std::string text = read_file(path + "/device/numa_node", 64).text;
  if (!text.empty()) {
    const int node = std::atoi(text.c_str());  // -1: the kernel does not know
    return node >= 0 ? std::optional{node} : std::nullopt;
  }
  if (depth == stack_depth_max) return std::nullopt;
  std::optional<int> common;
  for (const std::string& entry : names_in(path)) {
    if (!entry.starts_with(lower_prefix)) continue;
    const auto node = node_of_device(folder, entry.substr(lower_prefix.size()), depth + 1);
    if (!node || (common && common != node)) return std::nullopt;
    common = node;
  }
  return common;
}

bool bears(const ifaddrs& entry, const SocketAddress& address) {
  if (entry.ifa_addr == nullptr) return false;
  if (address.is_wildcard()) return true;
  const IpEndpoint here = IpEndpoint::from_sockaddr(*entry.ifa_addr);
  return here.family == address.ip().family && here.bytes == address.ip().bytes;
}

}  // namespace

std::vector<NetworkDevice> network_devices(const std::string& root) {
  const std::string folder = (root == "/" ? std::string{} : root) + "/sys/class/net";
  std::vector<NetworkDevice> devices;
  for (const std::string& name : names_in(folder))
    devices.push_back({.name = base::printable(name), .node = node_of_device(folder, name, 0)});
  return devices;
}

std::vector<std::string> devices_of(const SocketAddress& address) {
  if (address.is_unix()) return {};
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all{first, &::freeifaddrs};
  std::vector<std::string> names;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next)
    if (bears(*entry, address)) names.push_back(base::printable(entry->ifa_name));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace penstock::os

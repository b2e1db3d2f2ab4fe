#include "os/host_addresses.hpp"

#include <ifaddrs.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "os/fd.hpp"
#include "os/native_address.hpp"

namespace penstock::os {

namespace {

IpEndpoint bare(IpEndpoint endpoint) noexcept {
  endpoint.port = 0;
  endpoint.scope = 0;
  return endpoint;
}

}  // namespace

HostAddresses HostAddresses::now() {
  HostAddresses host;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return host;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all{first, &::freeifaddrs};
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const IpEndpoint endpoint = IpEndpoint::from_sockaddr(*entry->ifa_addr);
    if (endpoint.family != IpEndpoint::Family::none) host.addresses_.push_back(bare(endpoint));
  }
  std::sort(host.addresses_.begin(), host.addresses_.end());
  return host;
}

bool HostAddresses::has(const IpEndpoint& peer) const noexcept {
  return SocketAddress{peer}.is_loopback() ||
         std::binary_search(addresses_.begin(), addresses_.end(), bare(peer));
}

bool has_address_to_bind(IpEndpoint endpoint) noexcept {
  endpoint.port = 0;
  const NativeAddress native = to_native(SocketAddress{endpoint});
  const Fd socket{::socket(native.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket) return errno != EAFNOSUPPORT;
  return ::bind(socket.get(), native.get(), native.length) == 0 || errno != EADDRNOTAVAIL;
}

}  // namespace penstock::os

#pragma once
// A SocketAddress in the kernel's form. Only for the .cpp files of this floor.

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "os/address.hpp"

namespace penstock::os {

struct NativeAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

inline NativeAddress to_native(const SocketAddress& address) noexcept {
  NativeAddress native;
  const IpEndpoint& ip = address.ip();
  if (address.is_unix()) {
    auto& target = reinterpret_cast<sockaddr_un&>(native.storage);
    target.sun_family = AF_UNIX;
    std::memcpy(target.sun_path, address.path().data(), address.path().size());
    // An abstract name starts with NUL and ends with its length; a path ends with NUL.
    if (address.is_abstract()) target.sun_path[0] = '\0';
    native.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.path().size() +
                                           (address.is_abstract() ? 0 : 1));
  } else if (ip.family == IpEndpoint::Family::v4) {
    auto& target = reinterpret_cast<sockaddr_in&>(native.storage);
    target.sin_family = AF_INET;
    target.sin_port = htons(ip.port);
    std::memcpy(&target.sin_addr, ip.bytes.data(), 4);
    native.length = sizeof target;
  } else {
    auto& target = reinterpret_cast<sockaddr_in6&>(native.storage);
    target.sin6_family = AF_INET6;
    target.sin6_port = htons(ip.port);
    target.sin6_scope_id = ip.scope;
    std::memcpy(&target.sin6_addr, ip.bytes.data(), 16);
    native.length = sizeof target;
  }
  return native;
}

}  // namespace penstock::os

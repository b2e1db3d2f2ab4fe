#include "e2e/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

#include "e2e/network.hpp"
#include "e2e/waiting.hpp"

namespace penstock::e2e {

namespace {

NativeAddress unix_address(const std::string& path) {
  NativeAddress native;
  auto& address = reinterpret_cast<sockaddr_un&>(native.storage);
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Failure{"the path is too long: " + path};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  native.length = sizeof address;
  return native;
}

}  // namespace

NativeAddress to_native(const std::string& address) {
  if (address.starts_with("unix:")) return unix_address(address.substr(5));
  NativeAddress native;
  const auto port = htons(static_cast<std::uint16_t>(std::stoi(port_of(address))));
  const std::string host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[')) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(native.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = port;
    native.length = sizeof v6;
    if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) == 1)
      return native;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(native.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = port;
    native.length = sizeof v4;
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) return native;
  }
  throw Failure{"no address: " + address};
}

}  // namespace penstock::e2e

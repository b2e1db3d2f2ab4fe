#include "os/address.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "os/fd.hpp"

namespace penstock::os {

namespace {

using Parsed = base::SentenceOr<SocketAddress>;

IpEndpoint from_v4(const in_addr& address, std::uint16_t port) noexcept {
  IpEndpoint result;
  std::memcpy(result.bytes.data(), &address, sizeof address);
  result.port = port;
  result.family = IpEndpoint::Family::v4;
  return result;
}

IpEndpoint from_v6(const in6_addr& address, std::uint16_t port, std::uint32_t scope) noexcept {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    in_addr v4{};
    std::memcpy(&v4, address.s6_addr + 12, sizeof v4);
    return from_v4(v4, port);
  }
  IpEndpoint result;
  std::memcpy(result.bytes.data(), &address, sizeof address);
  // The kernel ignores the zone of all other addresses: with it they would have two names.
  const bool has_zone = IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_MC_LINKLOCAL(&address) ||
                        IN6_IS_ADDR_MC_NODELOCAL(&address);
  result.scope = has_zone ? scope : 0;
  result.port = port;
  result.family = IpEndpoint::Family::v6;
  return result;
}

// The number of an interface, which is what to_string() prints, or its name.
bool parse_scope(const std::string& text, ZoneNumber zone_number, std::uint32_t& scope) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), scope);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  if (!is_number) scope = zone_number == nullptr ? 0 : zone_number(text);
  return scope != 0;
}

bool parse_ip(const std::string& host, std::uint16_t port, ZoneNumber zone_number,
              IpEndpoint& result) {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    result = from_v4(v4, port);
    return true;
  }
  const auto percent = host.find('%');
  std::uint32_t scope = 0;
  if (percent != std::string::npos) {
    if (!parse_scope(host.substr(percent + 1), zone_number, scope)) return false;
  }
  in6_addr v6{};
  if (::inet_pton(AF_INET6, host.substr(0, percent).c_str(), &v6) != 1) return false;
  result = from_v6(v6, port, scope);
  return true;
}

Parsed parse_unix(std::string_view text) {
  const std::string path{text};
  if (path.empty() || path == "@") return std::string{"the path of a unix socket is missing"};
  if (path.size() > unix_path_bytes_max)
    return std::string{"the path of a unix socket has at most 107 bytes"};
  if (path.front() == '@') return SocketAddress::unix_path(path);
  if (path.front() != '/')
    return std::string{"the path of a unix socket starts with / or, if abstract, with @"};
  const std::filesystem::path spelled{path};
  // Where a folder is a link, what /folder/../ means is known to the disk alone.
  if (std::find(spelled.begin(), spelled.end(), "..") != spelled.end())
    return std::string{"the path of a unix socket bears no \"..\": write the folder that is meant"};
  std::string normal = spelled.lexically_normal();  // "/a/." is the folder "/a/"
  if (normal.back() == '/')
    return std::string{"a unix socket is no folder: its path ends without /"};
  return SocketAddress::unix_path(std::move(normal));
}

}  // namespace

std::string IpEndpoint::ip_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family == Family::none) return "unix:";
  ::inet_ntop(family == Family::v4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return scope == 0 ? std::string{text} : std::string{text} + '%' + std::to_string(scope);
}

std::string IpEndpoint::to_string() const {
  switch (family) {
    case Family::none: return "unix:";
    case Family::v4: return ip_string() + ':' + std::to_string(port);
    case Family::v6: return '[' + ip_string() + "]:" + std::to_string(port);
  }
  return {};
}

IpEndpoint IpEndpoint::from_sockaddr(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return from_v4(v4.sin_addr, ntohs(v4.sin_port));
  }
  if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    return from_v6(v6.sin6_addr, ntohs(v6.sin6_port), v6.sin6_scope_id);
  }
  return {};
}

std::optional<IpEndpoint> IpEndpoint::from_bytes(std::span<const unsigned char> bytes) noexcept {
  in_addr v4{};
  in6_addr v6{};
  if (bytes.size() == sizeof v4) {
    std::memcpy(&v4, bytes.data(), sizeof v4);
    return from_v4(v4, 0);
  }
  if (bytes.size() != sizeof v6) return std::nullopt;
  std::memcpy(&v6, bytes.data(), sizeof v6);
  return from_v6(v6, 0, 0);
}

SocketAddress SocketAddress::unix_path(std::string path) {
  PENSTOCK_ASSERT(path.size() <= unix_path_bytes_max);
  SocketAddress result;
  result.path_ = std::move(path);
  return result;
}

bool SocketAddress::is_wildcard() const noexcept {
  return !is_unix() &&
         std::all_of(ip_.bytes.begin(), ip_.bytes.end(), [](auto b) { return b == 0; });
}

bool SocketAddress::is_loopback() const noexcept {
  if (is_unix()) return true;
  if (ip_.family == IpEndpoint::Family::v4) return ip_.bytes[0] == 127;
  return std::all_of(ip_.bytes.begin(), ip_.bytes.end() - 1, [](auto b) { return b == 0; }) &&
         ip_.bytes[15] == 1;
}

bool SocketAddress::is_dialable() const noexcept {
  if (is_unix()) return true;
  if (is_wildcard()) return false;
  const auto& bytes = ip_.bytes;
  if (ip_.family == IpEndpoint::Family::v4) {
    const bool is_multicast = bytes[0] >= 224 && bytes[0] < 240;
    const bool is_broadcast =
        std::all_of(bytes.begin(), bytes.begin() + 4, [](auto b) { return b == 255; });
    return !is_multicast && !is_broadcast;
  }
  const bool is_link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  return bytes[0] != 0xff && !(is_link_local && ip_.scope == 0);
}

std::string SocketAddress::to_string() const {
  return is_unix() ? "unix:" + path_ : ip_.to_string();
}

bool split_host_port(std::string_view text, std::string& host, std::uint16_t& port) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view name = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = name.size() > 2 && name.front() == '[' && name.back() == ']';
  // A bare v6 address is ambiguous, and brackets around anything else are a second spelling.
  if (bracketed != (name.find(':') != std::string_view::npos)) return false;
  if (bracketed) name = name.substr(1, name.size() - 2);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return false;
  if (value == 0 || value > 65'535 || (digits.size() > 1 && digits.front() == '0')) return false;
  host = name;
  port = static_cast<std::uint16_t>(value);
  return true;
}

std::uint32_t interface_number(const std::string& name) noexcept {
  ifreq request{};
  if (name.empty() || name.size() >= sizeof request.ifr_name) return 0;
  name.copy(request.ifr_name, name.size());
  for (const int family : {AF_INET, AF_INET6}) {  // a kernel may be without one of them
    const Fd socket{::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (socket && ::ioctl(socket.get(), SIOCGIFINDEX, &request) == 0)
      return static_cast<std::uint32_t>(request.ifr_ifindex);
  }
  return 0;
}

Parsed parse_socket_address(std::string_view text, ZoneNumber zone_number) {
  // What follows a NUL would be cut off without a word.
  if (text.find('\0') != std::string_view::npos)
    return std::string{"an address bears no NUL character"};
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  std::string host;
  std::uint16_t port = 0;
  if (!split_host_port(text, host, port))
    return std::string{"expected ip:port, [v6]:port or unix:/path, with a port from 1 to 65535"};
  IpEndpoint endpoint;
  if (!parse_ip(host, port, zone_number, endpoint))
    return base::quoted(host) + " is not an IP address";
  return SocketAddress{endpoint};
}

base::SentenceOr<std::vector<IpEndpoint>> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) return std::string{::gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{list, &::freeaddrinfo};
  std::vector<IpEndpoint> result;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    IpEndpoint endpoint = IpEndpoint::from_sockaddr(*entry->ai_addr);
    endpoint.port = port;
    if (std::find(result.begin(), result.end(), endpoint) == result.end())
      result.push_back(endpoint);
  }
  if (result.empty()) return std::string{"the name has no address"};
  return result;
}

}  // namespace penstock::os

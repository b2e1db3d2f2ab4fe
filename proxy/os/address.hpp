#pragma once
// Addresses as values. Parsing and printing are pure; resolving a name, of a host or of an
// interface, asks the system.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct sockaddr;

namespace penstock::os {

// An IP address and a port, small enough to sit in every connection's record. IPv4-mapped IPv6
// addresses are folded to IPv4, so that one client has one name. `family` none stands for a peer
// without an address (a unix socket).
struct IpEndpoint {
  enum class Family : std::uint8_t { none, v4, v6 };

  std::array<std::uint8_t, 16> bytes{};  // network order; v4 uses the first four
  std::uint32_t scope = 0;               // of link-local IPv6 addresses
  std::uint16_t port = 0;
  Family family = Family::none;

  // "10.0.0.1:80", "[::1]:80", "unix:".
  std::string to_string() const;
  std::string ip_string() const;  // without brackets and port
  static IpEndpoint from_sockaddr(const sockaddr& address) noexcept;
  // 4 or 16 bytes in network order, with port 0.
  static std::optional<IpEndpoint> from_bytes(std::span<const unsigned char> bytes) noexcept;
  auto operator<=>(const IpEndpoint&) const = default;
};

// Where to listen or to connect: an IpEndpoint or the path of a unix socket.
class SocketAddress {
 public:
  SocketAddress() = default;
  explicit SocketAddress(IpEndpoint endpoint) : ip_{endpoint} {}
  // `path` starting with '@' is abstract. At most 107 bytes.
  static SocketAddress unix_path(std::string path);

  bool is_unix() const noexcept { return ip_.family == IpEndpoint::Family::none; }
  bool is_abstract() const noexcept { return is_unix() && path_.starts_with('@'); }
  bool is_wildcard() const noexcept;  // 0.0.0.0 or ::
  bool is_loopback() const noexcept;  // 127.0.0.0/8, ::1 or a unix socket
  // One host may be there. Not so for wildcards, which the kernel takes for this host, for
  // multicast and broadcast, and for link-local IPv6 without a scope, which names no network.
  bool is_dialable() const noexcept;
  const IpEndpoint& ip() const noexcept { return ip_; }
  const std::string& path() const noexcept { return path_; }

  // The canonical form, which is an endpoint's identity: "ip:port", "[v6]:port", "unix:/path".
  std::string to_string() const;
  auto operator<=>(const SocketAddress&) const = default;

 private:
  IpEndpoint ip_;
  std::string path_;
};

// The number of the interface of that name, 0 where there is none: for the zones of addresses.
using ZoneNumber = std::uint32_t (*)(const std::string& name);

// Asks the kernel, by calls that the sandbox lists for control. Unlike if_nametoindex(3), whose
// socket is of a family of the library's choice.
std::uint32_t interface_number(const std::string& name) noexcept;

// A literal "1.2.3.4:80", "[::1]:80", "[fe80::1%2]:80", "unix:/path" or "unix:@name". Pure: what a
// peer writes makes no system call. Where the operator writes, `zone_number` is interface_number,
// and "[fe80::1%eth0]:80" is an address too.
// Errors: the sentence that a user should read.
base::SentenceOr<SocketAddress> parse_socket_address(std::string_view text,
                                                     ZoneNumber zone_number = nullptr);

// Splits "host:port" and "[v6]:port"; false where there is no port in 1..65535.
bool split_host_port(std::string_view text, std::string& host, std::uint16_t& port);

// A, AAAA and hosts-file addresses of a name, in the system's order, without duplicates.
// Blocks: start-up only. Errors: what the resolver said.
base::SentenceOr<std::vector<IpEndpoint>> resolve(const std::string& host, std::uint16_t port);

inline constexpr std::size_t unix_path_bytes_max = 107;

}  // namespace penstock::os

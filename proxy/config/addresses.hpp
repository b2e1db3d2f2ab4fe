#pragma once
// Addresses as a configuration writes them: binds with names and port ranges, endpoints, names
// that discovery resolves.

#include <string>
#include <string_view>
#include <vector>

#include "os/address.hpp"

namespace penstock::config {

struct FoundAddresses {
  std::vector<os::SocketAddress> addresses;
  std::string fault;  // empty on success
  // Of a name with several addresses: those that this host does not have.
  std::vector<os::IpEndpoint> left_out{};
};

// Letters, digits, hyphens and dots; digits and dots alone are an address with a mistake.
bool is_host_name(std::string_view host);

// "v4:port", "[v6]:port", "name:port", each also with a range like 7000-7010; "unix:/path",
// "unix:@name". A name is resolved (blocking) or, without `resolve_names`, has no addresses. Of
// several, one that this host does not have is left out: `localhost` is ::1 too where IPv6 is off.
FoundAddresses parse_bind(std::string_view text, bool resolve_names);

// One literal address. The fault of a host name says how to have it resolved, where it can be.
FoundAddresses parse_endpoint(std::string_view text, bool may_be_resolved = true);

// "name:port", or "name" alone, which is port 0. Returns the sentence of a fault, and then leaves
// host and port as they were.
std::string parse_dns(std::string_view text, bool may_lack_port, std::string& host,
                      std::uint16_t& port);

// A listening socket, for the questions that two addresses can answer.
struct BoundSocket {
  os::SocketAddress address;
  bool v6_only = false;
};

// Only one of the two could be bound.
bool collide(const BoundSocket& one, const BoundSocket& other);

// A connection to `endpoint` from this machine arrives at `bound`. Addresses of interfaces other
// than loopback are not known here: behind a wildcard only loopback is seen.
bool reaches(const os::SocketAddress& endpoint, const BoundSocket& bound);

}  // namespace penstock::config

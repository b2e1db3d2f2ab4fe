#include "config/addresses.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/limits.hpp"
#include "base/words.hpp"
#include "os/host_addresses.hpp"

namespace penstock::config {

namespace {

using IpFamily = os::IpEndpoint::Family;

constexpr std::string_view bind_forms =
    "expected host:port, [v6]:port, host:first-last or unix:/path, with ports from 1 to 65535";

FoundAddresses failed(std::string sentence) {
  return {.addresses = {}, .fault = std::move(sentence)};
}

bool is_letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

struct PortRange {
  std::string host;  // an IPv6 address without its brackets
  bool is_bracketed = false;
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

// host:first-last or host:port.
bool split_port_range(std::string_view text, PortRange& range) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const auto hyphen = text.find('-', colon);
  if (!os::split_host_port(text.substr(0, hyphen), range.host, range.first)) return false;
  range.last = range.first;
  range.is_bracketed = text.front() == '[';
  if (hyphen == std::string_view::npos) return true;
  std::string same_host;
  const std::string last =
      std::string{text.substr(0, colon + 1)} + std::string{text.substr(hyphen + 1)};
  return os::split_host_port(last, same_host, range.last);
}

// The addresses of a host, all with the given port; a literal is asked first.
FoundAddresses addresses_of(const PortRange& range, bool resolve_names) {
  const std::string host = range.is_bracketed ? '[' + range.host + ']' : range.host;
  const auto literal =
      os::parse_socket_address(host + ':' + std::to_string(range.first), os::interface_number);
  if (literal.has_value()) return {.addresses = {*literal}, .fault = {}};
  if (range.host == "*") return failed("write 0.0.0.0 or [::] for every address");
  if (range.is_bracketed || !is_host_name(range.host))
    return failed(base::in_quotes(range.host) + " is neither an IP address nor a host name");
  if (!resolve_names) return {};
  const auto resolved = os::resolve(range.host, range.first);
  if (resolved.has_error())
    return failed("cannot resolve " + base::in_quotes(range.host) + ": " + resolved.error());
  // Where this host has none of them, the start fails with what the kernel says of each.
  const bool any_is_here = std::any_of(resolved->begin(), resolved->end(), os::has_address_to_bind);
  FoundAddresses found;
  for (const os::IpEndpoint& endpoint : *resolved) {
    if (!any_is_here || os::has_address_to_bind(endpoint))
      found.addresses.emplace_back(endpoint);
    else
      found.left_out.push_back(endpoint);
  }
  return found;
}

// Every address of the first port, with every port.
FoundAddresses with_every_port(const FoundAddresses& found, const PortRange& range) {
  FoundAddresses result{.addresses = {}, .fault = {}, .left_out = found.left_out};
  for (const os::SocketAddress& address : found.addresses) {
    for (unsigned port = range.first; port <= range.last; ++port) {
      os::IpEndpoint endpoint = address.ip();
      endpoint.port = static_cast<std::uint16_t>(port);
      result.addresses.emplace_back(endpoint);
    }
  }
  return result;
}

bool wildcard_covers(const BoundSocket& wildcard, const os::SocketAddress& address) {
  if (!wildcard.address.is_wildcard()) return false;
  const IpFamily own = wildcard.address.ip().family;
  const IpFamily other = address.ip().family;
  return own == other || (own == IpFamily::v6 && other == IpFamily::v4 && !wildcard.v6_only);
}

// Why nobody can be connected to there.
std::string undialable(const os::SocketAddress& address) {
  if (!address.is_wildcard())
    return " is multicast, broadcast, or link-local without a zone: no host can be connected to "
           "there";
  const bool is_v4 = address.ip().family == IpFamily::v4;
  return fmt::format(" means every address of this host, not one to connect to; write {}:{} for it",
                     is_v4 ? "127.0.0.1" : "[::1]", address.ip().port);
}

}  // namespace

bool is_host_name(std::string_view host) {
  const auto is_name_byte = [](char byte) {
    return is_letter(byte) || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.';
  };
  return !host.empty() && host.size() <= 253 && host.front() != '-' &&
         std::all_of(host.begin(), host.end(), is_name_byte) &&
         std::any_of(host.begin(), host.end(), is_letter);
}

FoundAddresses parse_bind(std::string_view text, bool resolve_names) {
  if (text.starts_with("unix:")) {
    const auto path = os::parse_socket_address(text);
    if (path.has_error()) return failed(path.error());
    return {.addresses = {*path}, .fault = {}};
  }
  PortRange range;
  if (!split_port_range(text, range))
    return failed(fmt::format("{}, not {}", bind_forms, base::in_quotes(text)));
  if (range.last < range.first)
    return failed("the port range " + base::in_quotes(text) + " goes backwards");
  if (range.last - range.first >= static_cast<int>(base::listener_addresses_max))
    return failed("the port range " + base::in_quotes(text) + " has more than " +
                  std::to_string(base::listener_addresses_max) + " ports");
  const FoundAddresses found = addresses_of(range, resolve_names);
  return found.fault.empty() ? with_every_port(found, range) : found;
}

FoundAddresses parse_endpoint(std::string_view text, bool may_be_resolved) {
  const auto address = os::parse_socket_address(text, os::interface_number);
  if (address.has_value() && !address->is_dialable())
    return failed(base::in_quotes(text) + undialable(*address));
  if (address.has_value()) return {.addresses = {*address}, .fault = {}};
  std::string host;
  std::uint16_t port = 0;
  const bool is_name =
      os::split_host_port(text, host, port) && text.front() != '[' && is_host_name(host);
  if (!is_name) return failed(address.error());
  if (!may_be_resolved)
    return failed(fmt::format("{} is a host name; a file of endpoints lists addresses",
                              base::in_quotes(host)));
  return failed(base::in_quotes(host) + " is a host name; write {dns: " + base::in_quotes(text) +
                "}");
}

std::string parse_dns(std::string_view text, bool may_lack_port, std::string& host,
                      std::uint16_t& port) {
  std::string name{text};
  std::uint16_t number = 0;
  const bool lacks_port = text.find(':') == std::string_view::npos;
  const bool is_split =
      lacks_port ? may_lack_port : text.front() != '[' && os::split_host_port(text, name, number);
  if (!is_split || !is_host_name(name))
    return (may_lack_port ? "expected name or name:port, not " : "expected name:port, not ") +
           base::in_quotes(text);
  host = std::move(name);
  port = number;
  return {};
}

bool collide(const BoundSocket& one, const BoundSocket& other) {
  if (one.address == other.address) return true;
  if (one.address.is_unix() || other.address.is_unix()) return false;
  if (one.address.ip().port != other.address.ip().port) return false;
  return wildcard_covers(one, other.address) || wildcard_covers(other, one.address);
}

bool reaches(const os::SocketAddress& endpoint, const BoundSocket& bound) {
  if (endpoint == bound.address) return true;
  if (endpoint.is_unix() || bound.address.is_unix()) return false;
  if (endpoint.ip().port != bound.address.ip().port) return false;
  return endpoint.is_loopback() && wildcard_covers(bound, endpoint);
}

}  // namespace penstock::config

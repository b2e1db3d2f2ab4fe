#include "admin/host.hpp"

#include <algorithm>
#include <string>

#include "os/address.hpp"

namespace penstock::admin {

namespace {

// The host of "host", "host:port" and "[v6]:port"; empty where it is none of these.
std::string_view without_port(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const auto end = bracketed ? host.find(']') : host.find(':');
  if (bracketed && end == host.npos) return {};
  std::string_view port = end == host.npos ? std::string_view{} : host.substr(end + bracketed);
  if (!port.empty()) {
    if (!port.starts_with(':')) return {};
    port.remove_prefix(1);
    if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return {};
  }
  return bracketed ? host.substr(1, end - 1) : host.substr(0, end);
}

}  // namespace

bool equal_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

bool names_a_literal_host(std::string_view host) {
  const std::string_view name = without_port(host);
  if (name.empty()) return false;
  if (!host.starts_with('['))
    return os::parse_socket_address(std::string{name} + ":1").has_value() ||
           equal_but_for_case(name, "localhost");
  // A zone says which link the client means, and that is known to the client alone.
  const std::string literal{name.substr(0, name.find('%'))};
  return literal.find(':') != literal.npos &&
         os::parse_socket_address('[' + literal + "]:1").has_value();
}

}  // namespace penstock::admin

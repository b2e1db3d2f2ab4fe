// Addresses: what was parsed prints to a text that parses to the same.

#include "os/address.hpp"

#include <string>

#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace penstock;
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto address = os::parse_socket_address(text)) {
    const std::string canonical = address->to_string();
    const auto again = os::parse_socket_address(canonical);
    fuzz::require(again.has_value(), "the canonical text of an address is an address");
    fuzz::require(*again == *address, "it is the same address");
    fuzz::require(again->to_string() == canonical, "the canonical text is canonical");
    if (address->is_unix())
      fuzz::require(!address->path().empty() && address->path().size() <= os::unix_path_bytes_max,
                    "a path fits into a socket address");
    else
      fuzz::require(address->ip().port != 0, "a port is not 0");
  } else {
    fuzz::require(!address.error().empty(), "a refusal is a sentence");
  }
  std::string host;
  std::uint16_t port = 0;
  if (os::split_host_port(text, host, port)) fuzz::require(port != 0, "a port is not 0");
  return 0;
}

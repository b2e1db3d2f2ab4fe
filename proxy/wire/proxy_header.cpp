#include "wire/proxy_header.hpp"

#include <string_view>

namespace penstock::wire {

std::string proxy_v2_head(ProxyCommand command, ProxyFamily family, std::uint16_t rest_bytes) {
  // No protocol in use begins like this: whoever does not know the header refuses it.
  constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
  constexpr unsigned version = 2;
  std::string head{signature};
  head.push_back(static_cast<char>(version << 4 | static_cast<unsigned>(command)));
  head.push_back(static_cast<char>(family));
  head.push_back(static_cast<char>(rest_bytes >> 8));
  head.push_back(static_cast<char>(rest_bytes & 0xff));
  return head;
}

std::string proxy_v2_local() {
  return proxy_v2_head(ProxyCommand::local, ProxyFamily::unspecified, 0);
}

}  // namespace penstock::wire

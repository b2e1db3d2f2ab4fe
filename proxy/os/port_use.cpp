#include "os/port_use.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

namespace penstock::os {

PortUse use_of_port(std::uint16_t port, std::istream& lines) {
  constexpr unsigned listening = 10;  // TCP_LISTEN
  PortUse found = PortUse::unknown;
  constexpr auto rest_of_line = std::numeric_limits<std::streamsize>::max();
  lines.ignore(rest_of_line, '\n');  // the headings
  // "   0: 0100007F:1F90 00000000:0000 0A ...", in hexadecimal
  std::string slot;
  std::string local;
  std::string remote;
  unsigned state = 0;
  while (lines >> slot >> local >> remote >> std::hex >> state) {
    lines.ignore(rest_of_line, '\n');
    const auto colon = local.rfind(':');
    if (colon == std::string::npos || std::strtoul(local.c_str() + colon + 1, nullptr, 16) != port)
      continue;
    if (state == listening) return PortUse::listener;
    found = PortUse::connection;
  }
  return found;
}

PortUse use_of_port(std::uint16_t port) {
  PortUse found = PortUse::unknown;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines{path};
    const PortUse use = use_of_port(port, lines);
    if (use == PortUse::listener) return use;
    found = std::max(found, use);
  }
  return found;
}

}  // namespace penstock::os

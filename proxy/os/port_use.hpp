#pragma once
// Who has a local TCP port, for the sentence about an address in use.
//
// Thread   any; reads files of /proc, so start-up only.
// Source   proc_net_tcp of the kernel's documents.

#include <cstdint>
#include <istream>

namespace penstock::os {

enum class PortUse : std::uint8_t {
  unknown,
  listener,    // somebody waits for connections there
  connection,  // a connection of this machine has it as its own port, which nobody chose
};

// By what the kernel tells of this network namespace.
PortUse use_of_port(std::uint16_t port);

// By the lines of one such file.
PortUse use_of_port(std::uint16_t port, std::istream& lines);

}  // namespace penstock::os

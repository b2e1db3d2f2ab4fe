#pragma once
// The ports that the kernel gives to a socket that names none (ip-sysctl: ip_local_port_range, for
// IPv6 as well). Only a port of these can be dialled by a socket that has it itself.
//
// Thread   any; local_ports() reads /proc at each call.

#include <cstdint>

namespace penstock::os {

// Aligned as one number, so that an atomic one is read and written by an instruction: clang calls a
// library for it otherwise.
struct alignas(std::uint32_t) LocalPorts {
  std::uint16_t first = 0;
  std::uint16_t last = 65535;
  bool has(std::uint16_t port) const noexcept { return first <= port && port <= last; }
  bool operator==(const LocalPorts&) const = default;
};

// Of this network namespace, as they are now; where they cannot be read, every port.
LocalPorts local_ports();

}  // namespace penstock::os

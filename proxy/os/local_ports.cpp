#include "os/local_ports.hpp"

#include <sstream>

#include "os/process.hpp"

namespace penstock::os {

LocalPorts local_ports() {
  std::istringstream numbers{read_file("/proc/sys/net/ipv4/ip_local_port_range", 64).text};
  LocalPorts ports;
  if (!(numbers >> ports.first >> ports.last)) return {};
  return ports;
}

}  // namespace penstock::os

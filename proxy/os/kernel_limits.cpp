#include "os/kernel_limits.hpp"

#include <cstdlib>
#include <string>

#include "os/process.hpp"

namespace penstock::os {

namespace {

std::uint64_t number_in(const std::string& name) {
  const FileText file = read_file("/proc/sys/net/core/" + name, 64);
  return file.error.empty() ? std::strtoull(file.text.c_str(), nullptr, 10) : 0;
}

}  // namespace

SocketLimits socket_limits() {
  return {.accept_queue_max = number_in("somaxconn")};
}

}  // namespace penstock::os

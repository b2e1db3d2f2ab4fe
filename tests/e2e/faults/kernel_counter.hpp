#pragma once
// What the kernel counted in our network namespace since it began, by the names of nstat(8).
//
//   kernel_counter("TcpAttemptFails"), kernel_counter("TcpExtTCPOFOQueue")
//
// Errors   Failure where there is no such counter.

#include <cstdint>
#include <string>

namespace penstock::e2e {

std::uint64_t kernel_counter(const std::string& name);

}  // namespace penstock::e2e

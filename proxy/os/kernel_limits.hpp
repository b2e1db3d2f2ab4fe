#pragma once
// Limits of the kernel that cut what a program asks for, without a word.

#include <cstdint>

namespace penstock::os {

// Of this network namespace; 0 where one cannot be read (rmem_max and wmem_max are only shown in
// the first namespace by older kernels).
struct SocketLimits {
  std::uint64_t accept_queue_max = 0;          // net.core.somaxconn: connections
  std::uint64_t receive_buffer_bytes_max = 0;  // net.core.rmem_max
  std::uint64_t send_buffer_bytes_max = 0;     // net.core.wmem_max
};
SocketLimits socket_limits();

}  // namespace penstock::os

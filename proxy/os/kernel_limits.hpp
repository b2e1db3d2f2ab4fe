#pragma once
// Limits of the kernel that cut what a program asks for, without a word.
//
// Thread   any; reads /proc at each call.

#include <cstdint>

namespace penstock::os {

// Of this network namespace; 0 where it cannot be read. What it grants of socket buffers a socket
// tells better (os/socket_buffers): older kernels show rmem_max and wmem_max only in the first one.
struct SocketLimits {
  std::uint64_t accept_queue_max = 0;  // net.core.somaxconn: connections
};
SocketLimits socket_limits();

}  // namespace penstock::os

#pragma once
// What the kernel grants of the buffers that a socket asks for: it cuts SO_RCVBUF and SO_SNDBUF at
// net.core.rmem_max and net.core.wmem_max without a word.
//
// Thread   any. Errors: none; where nothing can be asked, what was asked for counts as granted.

#include <cstddef>

namespace penstock::os {

struct SocketBuffers {
  std::size_t receive = 0;  // bytes; 0 = the kernel's own tuning
  std::size_t send = 0;
};

// Tries them with a socket, for /proc may show another network namespace's limits, or none.
SocketBuffers granted_buffers(const SocketBuffers& asked) noexcept;

}  // namespace penstock::os

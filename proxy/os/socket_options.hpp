#pragma once
// Setting SocketOptions on a socket. Only for the .cpp files of this floor.

#include "os/socket.hpp"

namespace penstock::os {

struct OptionFault {
  int error = 0;                 // 0: every option was taken
  const char* option = nullptr;  // the configuration key of the first one that was refused
};

// SO_OOBINLINE is always set: without it a TCP urgent byte would leave the stream (docs/RELAY.md).
// Keepalive and no_delay are apart.
OptionFault apply_options(int socket, const SocketOptions& options, bool is_unix) noexcept;
OptionFault apply_no_delay(int socket, bool no_delay) noexcept;
OptionFault apply_keepalive(int socket, const SocketOptions::Keepalive& keepalive) noexcept;

}  // namespace penstock::os

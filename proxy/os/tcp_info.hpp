#pragma once
// What the kernel knows about a TCP connection (TCP_INFO), in our names and units.

#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace penstock::os {

struct TcpInfo {
  base::Duration rtt{0};                // smoothed round trip
  base::Duration last_heard{0};         // since the last ACK or data came from the peer
  std::uint32_t unacknowledged = 0;     // segments in flight
  std::uint32_t unanswered_probes = 0;  // zero-window and keepalive probes without an answer
  std::uint64_t retransmits = 0;        // segments sent again, since the beginning
};

// Empty for a unix socket, or where the kernel does not say.
std::optional<TcpInfo> tcp_info(int socket) noexcept;

}  // namespace penstock::os

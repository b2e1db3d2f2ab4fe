#include "os/tcp_info.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace penstock::os {

std::optional<TcpInfo> tcp_info(int socket) noexcept {
  struct tcp_info raw {};
  socklen_t length = sizeof raw;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &raw, &length) != 0) return std::nullopt;
  using std::chrono::milliseconds;
  return TcpInfo{
      .rtt = std::chrono::microseconds{raw.tcpi_rtt},
      .last_heard = milliseconds{std::min(raw.tcpi_last_ack_recv, raw.tcpi_last_data_recv)},
      .unacknowledged = raw.tcpi_unacked,
      .unanswered_probes = raw.tcpi_probes,
      .retransmits = raw.tcpi_total_retrans};
}

}  // namespace penstock::os

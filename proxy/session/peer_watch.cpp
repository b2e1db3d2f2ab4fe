#include "session/peer_watch.hpp"

namespace penstock::session {

PeerWatch::Verdict PeerWatch::look(std::size_t unacknowledged_bytes,
                                   const std::optional<os::TcpInfo>& info, base::Instant now,
                                   base::Duration timeout) noexcept {
  if (unacknowledged_bytes == 0 || !info) {
    silent_since_ = base::never;
    return Verdict::nothing_owed;
  }
  const bool first_look = silent_since_ == base::never;
  if (first_look || info->last_heard < now - silent_since_) {
    silent_since_ = now;
    return Verdict::owed;
  }
  const bool unanswered = info->unacknowledged > 0 || info->unanswered_probes >= probes_max;
  return unanswered && now - silent_since_ >= timeout ? Verdict::dead : Verdict::owed;
}

}  // namespace penstock::session

#include "session/peer_watch.hpp"

#include <algorithm>

namespace penstock::session {

PeerWatch::Verdict PeerWatch::look(std::size_t unacknowledged_bytes,
                                   const std::optional<os::TcpInfo>& info, base::Instant now,
                                   base::Duration timeout) noexcept {
  if (unacknowledged_bytes == 0 || !info) {
    silent_since_ = {};
    return Verdict::nothing_owed;
  }
  const base::Instant silent_since = silent_since_.near(now);
  if (silent_since_.is_never() || info->last_heard < now - silent_since) {
    silent_since_ = {now, now};
    return Verdict::owed;
  }
  const bool unanswered = info->unacknowledged > 0 || info->unanswered_probes >= probes_max;
  return unanswered && now - silent_since >= std::min(timeout, base::Moment::reach) ? Verdict::dead
                                                                                    : Verdict::owed;
}

}  // namespace penstock::session

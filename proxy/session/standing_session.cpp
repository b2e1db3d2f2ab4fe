#include "session/standing_session.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/timer_wheel.hpp"
#include "os/socket.hpp"
#include "os/tcp_info.hpp"
#include "session/context.hpp"

namespace penstock::session {

std::optional<CloseReason> StandingSession::drained_for(const Context& context) const noexcept {
  if (context.drain_deadline == base::never) return std::nullopt;
  return CloseReason::drain;
}

// The look at the peers must come in time, so the first bytes after a rest arm the timer.
void StandingSession::note_activity(Context& context) noexcept {
  last_activity_ = context.now;
  if (!look_at_peers_.is_never() || timeouts().peer.count() == 0) return;
  look_at_peers_ = {context.now + timeouts().peer / 4, context.now};
  arm_deadlines(context);
}

base::Instant StandingSession::idle_deadline() const noexcept {
  const base::Instant idle = base::deadline_after(last_activity_, timeouts().idle);
  if (!is_half_closed()) return idle;
  return std::min(idle, base::deadline_after(last_activity_, timeouts().half_close));
}

// +-10 %, by the connection's number, so that what began together does not end together.
base::Instant StandingSession::lifetime_deadline() const noexcept {
  if (timeouts().max_lifetime.count() == 0) return base::never;
  const auto spread = static_cast<std::int64_t>((arrival_.id * 0x9e37'79b9'7f4a'7c15) >> 43);
  const std::int64_t tenth = timeouts().max_lifetime.count() / 10;
  const double share = static_cast<double>(spread) / static_cast<double>(1 << 20) - 1.0;
  const auto jitter = static_cast<std::int64_t>(static_cast<double>(tenth) * share);
  return arrival_.at + timeouts().max_lifetime + base::Duration{jitter};
}

void StandingSession::arm_deadlines(Context& context) noexcept {
  context.timers.arm(
      *this, std::min({idle_deadline(), lifetime_deadline(), look_at_peers_.near(context.now),
                       drain_turn_.near(context.now), context.drain_deadline, own_deadline()}));
}

Next StandingSession::check_deadlines(Context& context) noexcept {
  if (context.now >= drain_turn_.near(context.now))
    if (const Next next = check_drain(context); next == Next::ended) return next;
  if (context.now >= lifetime_deadline()) return end_in_time(CloseReason::max_lifetime, context);
  if (context.now >= idle_deadline())
    return end_in_time(
        is_half_closed() ? CloseReason::half_close_timeout : CloseReason::idle_timeout, context);
  if (context.now >= look_at_peers_.near(context.now) && !check_peers(context))
    return end_in_time(CloseReason::peer_timeout, context);
  arm_deadlines(context);
  return Next::wait;
}

Next StandingSession::check_drain(Context& context) noexcept {
  const auto reason = drained_for(context);
  if (!reason) {
    drain_turn_ = {};
    return Next::wait;
  }
  const bool rested = context.now - last_activity_ >= base::drain_idle_after;
  if (rested && is_at_rest()) return end_by_fin(*reason, context);
  const base::Instant turn =
      std::max(last_activity_, context.now - base::drain_idle_after / 2) + base::drain_idle_after;
  drain_turn_ = {turn, context.now};
  return Next::wait;
}

std::optional<unsigned> StandingSession::find_dead_peer(const std::array<int, 2>& sockets,
                                                        Context& context) noexcept {
  const base::Duration timeout = timeouts().peer;
  look_at_peers_ = {};
  if (timeout.count() == 0) return std::nullopt;
  bool owed = context.now - last_activity_ < timeout / 4;
  for (unsigned side = 0; side < sockets.size(); ++side) {
    if (sockets[side] < 0) continue;
    const std::size_t unacknowledged = os::unacknowledged_bytes(sockets[side]);
    const auto info = unacknowledged > 0 ? os::tcp_info(sockets[side]) : std::nullopt;
    switch (watches_[side].look(unacknowledged, info, context.now, timeout)) {
      case PeerWatch::Verdict::nothing_owed: break;
      case PeerWatch::Verdict::owed: owed = true; break;
      case PeerWatch::Verdict::dead: return side;
    }
  }
  if (owed) look_at_peers_ = {context.now + timeout / 4, context.now};
  return std::nullopt;
}

}  // namespace penstock::session

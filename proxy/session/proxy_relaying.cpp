// Relaying: both directions, and the deadlines of a connection that stands.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "os/socket.hpp"
#include "os/tcp_info.hpp"
#include "relay/direction.hpp"
#include "session/context.hpp"
#include "session/proxy_session.hpp"
#include "upstream/live_record.hpp"

namespace penstock::session {

using relay::Outcome;

Next ProxySession::run_relaying(Context& context) noexcept {
  const bool was_half_closed = half_closed();
  bool hungry = false;
  bool starved = false;
  for (unsigned d = 0; d < directions_.size(); ++d) {
    const auto run = directions_[d].run(sides_[d], sides_[1 - d], context.relay);
    account(d, run.bytes, context);
    trace_run(d, run, context);
    hungry = hungry || run.outcome == Outcome::hungry;
    starved = starved || run.outcome == Outcome::no_buffer;
  }
  is_bulk_ = directions_[to_upstream].splices() || directions_[to_client].splices();
  if (sides_[client].failed || sides_[upstream].failed)
    return begin_abort(failure_reason(), context);
  if (directions_[to_upstream].finished() && directions_[to_client].finished())
    return finish(CloseReason::complete, Ending::fin, context);
  if (half_closed() != was_half_closed) {
    last_activity_ = context.now;
    arm_relaying(context);
  }
  if (hungry) return Next::hungry;
  return starved ? Next::starved : Next::wait;
}

void ProxySession::account(unsigned direction, std::size_t bytes, Context& context) noexcept {
  if (bytes == 0) return;
  last_activity_ = context.now;
  note_moved(direction, context.now);
  context.counters.listeners[arrival_.listener->index].bytes[direction].add(bytes);
  if (direction == to_client && first_byte_ == Record::unknown) {
    first_byte_ = context.now - arrival_.at;
    to().note_success(*endpoint_);
  }
  // The timer is not moved for every byte: it finds out when it fires. But the look at the peers
  // must come in time, so the first bytes after a rest arm it.
  if (deadline_ != base::never || timeouts().peer.count() == 0) return;
  deadline_ = context.now + timeouts().peer / 4;
  if (phase_ == Phase::relaying) arm_relaying(context);
}

bool ProxySession::half_closed() const noexcept {
  return directions_[to_upstream].finished() || directions_[to_client].finished();
}

bool ProxySession::holds_bytes() const noexcept {
  return directions_[to_upstream].holds_bytes() || directions_[to_client].holds_bytes();
}

CloseReason ProxySession::failure_reason() const noexcept {
  const unsigned side = sides_[client].failed ? client : upstream;
  switch (sides_[side].error) {
    case ETIMEDOUT: return CloseReason::peer_timeout;
    case ENOBUFS:
    case ENOMEM: return CloseReason::overload;
    default: return side == client ? CloseReason::client_reset : CloseReason::upstream_reset;
  }
}

base::Instant ProxySession::idle_deadline() const noexcept {
  const base::Instant idle = base::deadline_after(last_activity_, timeouts().idle);
  if (!half_closed()) return idle;
  return std::min(idle, base::deadline_after(last_activity_, timeouts().half_close));
}

// +-10 %, by the connection's number, so that what began together does not end together.
base::Instant ProxySession::lifetime_deadline() const noexcept {
  if (timeouts().max_lifetime.count() == 0) return base::never;
  const auto spread = static_cast<std::int64_t>((arrival_.id * 0x9e37'79b9'7f4a'7c15) >> 43);
  const std::int64_t tenth = timeouts().max_lifetime.count() / 10;
  const double share = static_cast<double>(spread) / static_cast<double>(1 << 20) - 1.0;
  const auto jitter = static_cast<std::int64_t>(static_cast<double>(tenth) * share);
  return arrival_.at + timeouts().max_lifetime + base::Duration{jitter};
}

void ProxySession::arm_relaying(Context& context) noexcept {
  context.timers.arm(*this, std::min({idle_deadline(), lifetime_deadline(), deadline_, drain_turn_,
                                      context.drain_deadline, farewell_deadline()}));
}

Next ProxySession::expired_relaying(Context& context) noexcept {
  if (context.now >= drain_turn_)
    if (const Next next = check_drain(context); next == Next::ended) return next;
  if (context.now >= lifetime_deadline()) return begin_abort(CloseReason::max_lifetime, context);
  if (context.now >= idle_deadline())
    return begin_abort(half_closed() ? CloseReason::half_close_timeout : CloseReason::idle_timeout,
                       context);
  if (context.now >= deadline_ && !check_peers(context))
    return begin_abort(CloseReason::peer_timeout, context);
  arm_relaying(context);
  return Next::wait;
}

// Idle means that nothing is under way: no byte for a while, none held, none unread. Then FIN to
// both sides cuts nothing off.
Next ProxySession::check_drain(Context& context) noexcept {
  const bool process_drains = context.drain_deadline != base::never;
  if (!process_drains && farewell_deadline() == base::never) {
    drain_turn_ = base::never;  // its endpoint came back
    return Next::wait;
  }
  const bool rested = context.now - last_activity_ >= base::drain_idle_after;
  // After its FIN was passed on a side is not read any more, and events keep calling it readable.
  const bool unread = (sides_[client].readable && !directions_[to_upstream].dry()) ||
                      (sides_[upstream].readable && !directions_[to_client].dry());
  if (rested && !holds_bytes() && !unread)
    return finish(process_drains ? CloseReason::drain : CloseReason::endpoint_removed, Ending::fin,
                  context);
  drain_turn_ =
      std::max(last_activity_, context.now - base::drain_idle_after / 2) + base::drain_idle_after;
  return Next::wait;
}

// False where a peer is dead; its side is then marked as failed.
bool ProxySession::check_peers(Context& context) noexcept {
  if (!std::exchange(keepalive_on_, true) && !endpoint_->address.is_unix())
    os::start_keepalive(sides_[upstream].socket, arrival_.listener->options.socket.keepalive);
  const base::Duration timeout = timeouts().peer;
  deadline_ = base::never;
  if (timeout.count() == 0) return true;
  bool owed = context.now - last_activity_ < timeout / 4;
  for (unsigned side = 0; side < sides_.size(); ++side) {
    const int socket = sides_[side].socket;
    const std::size_t unacknowledged = os::unacknowledged_bytes(socket);
    const auto info = unacknowledged > 0 ? os::tcp_info(socket) : std::nullopt;
    switch (watches_[side].look(unacknowledged, info, context.now, timeout)) {
      case PeerWatch::Verdict::nothing_owed: break;
      case PeerWatch::Verdict::owed: owed = true; break;
      case PeerWatch::Verdict::dead: sides_[side].fail(ETIMEDOUT); return false;
    }
  }
  if (owed) deadline_ = context.now + timeout / 4;
  return true;
}

}  // namespace penstock::session

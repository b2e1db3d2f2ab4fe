// Relaying: both directions, and what a proxied connection that stands says of itself.

#include <cerrno>
#include <utility>

#include "os/socket.hpp"
#include "relay/direction.hpp"
#include "session/context.hpp"
#include "session/failure_reason.hpp"
#include "session/proxy_session.hpp"
#include "upstream/live_record.hpp"

namespace penstock::session {

using relay::Outcome;

Next ProxySession::run_relaying(Context& context) noexcept {
  const bool was_half_closed = is_half_closed();
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
  if (is_half_closed() != was_half_closed) {
    last_activity_ = context.now;
    arm_deadlines(context);
  }
  if (hungry) return Next::hungry;
  return starved ? Next::starved : Next::wait;
}

void ProxySession::account(unsigned direction, std::size_t bytes, Context& context) noexcept {
  if (bytes == 0) return;
  note_moved(direction, context.now);
  context.counters.listeners[arrival_.listener->index].bytes[direction].add(bytes);
  if (direction == to_client && first_byte_ == Record::unknown) {
    first_byte_ = context.now - arrival_.at;
    to().note_success(endpoint());
  }
  note_activity(context);
}

bool ProxySession::is_half_closed() const noexcept {
  return directions_[to_upstream].finished() || directions_[to_client].finished();
}

bool ProxySession::holds_bytes() const noexcept {
  return directions_[to_upstream].holds_bytes() || directions_[to_client].holds_bytes();
}

CloseReason ProxySession::failure_reason() const noexcept {
  const unsigned side = sides_[client].failed ? client : upstream;
  return reason_of_failure(side, sides_[side].error);
}

// After its FIN was passed on a side is not read any more, and events keep calling it readable.
bool ProxySession::is_at_rest() const noexcept {
  const bool unread = (sides_[client].readable && !directions_[to_upstream].dry()) ||
                      (sides_[upstream].readable && !directions_[to_client].dry());
  return !holds_bytes() && !unread;
}

// Its endpoint may have come back meanwhile.
std::optional<CloseReason> ProxySession::drained_for(const Context& context) const noexcept {
  if (const auto reason = StandingSession::drained_for(context)) return reason;
  if (drain_deadline() == base::never) return std::nullopt;
  return CloseReason::endpoint_removed;
}

base::Instant ProxySession::own_deadline() const noexcept {
  return drain_deadline();
}

bool ProxySession::check_peers(Context& context) noexcept {
  if (!std::exchange(keepalive_on_, true) && !endpoint().address.is_unix())
    os::start_keepalive(sides_[upstream].socket, arrival_.listener->options.socket.keepalive);
  const auto dead = find_dead_peer({sides_[client].socket, sides_[upstream].socket}, context);
  if (dead) sides_[*dead].fail(ETIMEDOUT);
  return !dead;
}

Next ProxySession::end_by_fin(CloseReason reason, Context& context) noexcept {
  return finish(reason, Ending::fin, context);
}

Next ProxySession::end_in_time(CloseReason reason, Context& context) noexcept {
  return begin_abort(reason, context);
}

}  // namespace penstock::session

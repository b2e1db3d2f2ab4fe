// The look that finds a connection asleep with work to do.

#include <tuple>

#include "base/limits.hpp"
#include "session/context.hpp"
#include "session/relaying.hpp"

namespace penstock::session {

// Nobody renews it while nothing moves, so that it may lie farther behind than a Moment reaches: it
// then looks as if it lay ahead. Nothing moves in the future.
base::Duration Relaying::quiet(unsigned direction, base::Instant now) const noexcept {
  const base::Duration quiet = now - moved_[direction].near(now);
  return quiet < -std::chrono::seconds{1} ? base::Moment::reach : quiet;
}

void Relaying::note_moved(unsigned direction, base::Instant now) noexcept {
  moved_[direction] = {now, now};
}

Relaying::Ready Relaying::ready_now(const Proxied& connection) noexcept {
  return os::ready_now({connection.sides[0].socket, connection.sides[1].socket});
}

// Something to move, and room for it. A peer that sent FIN, or failed, is readable as well.
bool Relaying::could_move(unsigned direction, const Ready& ready,
                          const Proxied& connection) const noexcept {
  const relay::Direction& asked = directions_[direction];
  if (asked.finished() || asked.dry() || !ready[1 - direction].writable) return false;
  // A notice of a send without a copy looks like an error, and is nothing to read; a FIN is.
  const bool may_be_a_notice = ready[direction].failed && directions_[1 - direction].has_notices();
  const bool readable =
      ready[direction].peer_finished || (ready[direction].readable && !may_be_a_notice);
  return asked.holds_bytes() || connection.sides[direction].arrived() || readable;
}

std::optional<std::uint64_t> Relaying::looks_stalled(Proxied& connection,
                                                     Context& context) noexcept {
  const bool rests[] = {quiet(to_upstream, context.now) >= base::stall_after,
                        quiet(to_client, context.now) >= base::stall_after};
  if (!rests[to_upstream] && !rests[to_client]) return std::nullopt;
  const Ready ready = ready_now(connection);
  for (unsigned d = 0; d < directions_.size(); ++d)
    if (rests[d] && could_move(d, ready, connection))
      return directions_[to_upstream].bytes() + directions_[to_client].bytes() + is_half_closed();
  if (rests[to_upstream] && rests[to_client]) connection.end_trace(context);
  return std::nullopt;
}

void Relaying::report_stall(const Ready& ready, Proxied& connection,
                            Context& context) const noexcept {
  const unsigned stuck = could_move(to_upstream, ready, connection) ? to_upstream : to_client;
  Stall stall;
  stall.id = connection.arrival().id;
  stall.listener = connection.arrival().listener->index;
  stall.forwarder = context.forwarder;
  stall.direction = static_cast<std::uint8_t>(stuck);
  stall.holds_bytes = directions_[stuck].holds_bytes();
  stall.endpoint = connection.lease.endpoint();
  stall.at = context.now;
  stall.quiet = quiet(stuck, context.now);
  stall.event_count = connection.copy_trace(stall.events, context);
  context.counters.stalls.add();
  // Where control is behind, the count must do.
  std::ignore = context.stalls.try_push(std::move(stall));
  connection.trace(FlightEvent::Kind::resumed, 0, context);
}

}  // namespace penstock::session

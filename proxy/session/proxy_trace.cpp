// The flight recorder of a proxied connection, and the look that finds it asleep with work to do.

#include <algorithm>
#include <tuple>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "os/poller.hpp"
#include "relay/direction.hpp"
#include "session/context.hpp"
#include "session/proxy_session.hpp"

namespace penstock::session {

namespace {
std::uint32_t to_milliseconds(base::Instant instant) noexcept {
  return static_cast<std::uint32_t>(instant.time_since_epoch() / std::chrono::milliseconds{1});
}
}  // namespace

// nullptr where all recorders are in use.
FlightRecorder* ProxySession::recorder(Context& context) noexcept {
  if (recorder_ == FlightRecorders::none) recorder_ = context.recorders.lease();
  return recorder_ == FlightRecorders::none ? nullptr : &context.recorders.at(recorder_);
}

void ProxySession::trace(FlightEvent::Kind kind, int error, Context& context) noexcept {
  if (FlightRecorder* into = recorder(context))
    into->add({.microseconds = flight_microseconds(context.now),
               .error = static_cast<std::int16_t>(error),
               .kind = kind});
}

void ProxySession::trace_ready(unsigned side, os::Readiness ready, Context& context) noexcept {
  if (FlightRecorder* into = recorder(context))
    into->add({.microseconds = flight_microseconds(context.now),
               .error = sides_[side].error,
               .kind = FlightEvent::Kind::ready,
               .which = static_cast<std::uint8_t>(side),
               .ready = ready});
}

void ProxySession::trace_run(unsigned direction, const relay::Direction::Run& run,
                             Context& context) noexcept {
  FlightRecorder* into = recorder(context);
  if (into == nullptr) return;
  const bool target_failed = run.outcome == relay::Outcome::target_failed;
  into->add({.microseconds = flight_microseconds(context.now),
             .bytes = static_cast<std::uint32_t>(run.bytes),  // a run's budget is far below 2^32
             .error = sides_[target_failed ? 1 - direction : direction].error,
             .kind = FlightEvent::Kind::ran,
             .which = static_cast<std::uint8_t>(direction),
             .outcome = run.outcome});
}

void ProxySession::end_trace(Context& context) noexcept {
  if (recorder_ != FlightRecorders::none)
    context.recorders.give_back(std::exchange(recorder_, FlightRecorders::none));
}

base::Duration ProxySession::quiet(unsigned direction, base::Instant now) const noexcept {
  return std::chrono::milliseconds{to_milliseconds(now) - moved_milliseconds_[direction]};
}

void ProxySession::note_moved(unsigned direction, base::Instant now) noexcept {
  moved_milliseconds_[direction] = to_milliseconds(now);
}

// Something to move, and room for it. A peer that sent FIN, or failed, is readable as well.
bool ProxySession::could_move(unsigned direction,
                              const std::array<os::Readiness, 2>& ready) const noexcept {
  const relay::Direction& asked = directions_[direction];
  if (asked.finished() || asked.dry() || !ready[1 - direction].writable) return false;
  // A notice of a send without a copy looks like an error, and is nothing to read; a FIN is.
  const bool may_be_a_notice = ready[direction].failed && directions_[1 - direction].has_notices();
  const bool readable =
      ready[direction].peer_finished || (ready[direction].readable && !may_be_a_notice);
  return asked.holds_bytes() || sides_[direction].arrived() || readable;
}

std::optional<std::uint64_t> ProxySession::looks_stalled(Context& context) noexcept {
  if (phase_ != Phase::relaying) return std::nullopt;
  const bool rests[] = {quiet(to_upstream, context.now) >= base::stall_after,
                        quiet(to_client, context.now) >= base::stall_after};
  if (!rests[to_upstream] && !rests[to_client]) return std::nullopt;
  const auto ready = os::ready_now({sides_[client].socket, sides_[upstream].socket});
  for (unsigned d = 0; d < directions_.size(); ++d)
    if (rests[d] && could_move(d, ready))
      return directions_[to_upstream].bytes() + directions_[to_client].bytes() + is_half_closed();
  if (rests[to_upstream] && rests[to_client]) end_trace(context);
  return std::nullopt;
}

void ProxySession::resume_stalled(Context& context) noexcept {
  const auto ready = os::ready_now({sides_[client].socket, sides_[upstream].socket});
  const unsigned stuck = could_move(to_upstream, ready) ? to_upstream : to_client;
  Stall stall;
  stall.id = arrival_.id;
  stall.listener = arrival_.listener->index;
  stall.forwarder = context.forwarder;
  stall.direction = static_cast<std::uint8_t>(stuck);
  stall.holds_bytes = directions_[stuck].holds_bytes();
  stall.endpoint = lease_.endpoint();
  stall.at = context.now;
  stall.quiet = quiet(stuck, context.now);
  if (recorder_ != FlightRecorders::none)
    stall.event_count = context.recorders.at(recorder_).copy_to(stall.events);
  context.counters.stalls.add();
  // Where control is behind, the count must do.
  std::ignore = context.stalls.try_push(std::move(stall));
  trace(FlightEvent::Kind::resumed, 0, context);
  for (unsigned side = 0; side < sides_.size(); ++side)
    note(side, {.token = token(side), .ready = ready[side]}, context);
}

}  // namespace penstock::session

// Waiting in line for a free place.

#include <utility>

#include "base/time.hpp"
#include "session/connecting.hpp"
#include "session/context.hpp"
#include "upstream/spec.hpp"

namespace penstock::session {

namespace {
// Sockets that other forwarders keep ready hold places until these look, once a second.
constexpr base::Duration until_room_is_asked_for = std::chrono::milliseconds{50};
constexpr std::uint8_t asked_for_room_max = 40;
}  // namespace

Connecting::Outcome Connecting::wait_in_line(Proxied& connection, Context& context) noexcept {
  upstream::Upstream& to = connection.to();
  const auto ticket = to.queue().join(context.forwarder, connection.token(Proxied::client));
  if (!ticket) {
    if (to.has_spares() && asked_for_room_ < asked_for_room_max) {
      ++asked_for_room_;
      return pause(until_room_is_asked_for, connection, context);
    }
    connection.reason = CloseReason::queue_full;
    return Outcome::failed;
  }
  ticket_ = *ticket;
  state_ = State::queued;
  connection.last_activity_ = context.now;
  connection.lease = {};  // its endpoint's record may be freed while its last caller waits in line
  queue_end_ = base::deadline_after(context.now, to.spec().queue.timeout);
  arm(connection, context);
  // A place may have become free before it stood in line.
  return slot_available(connection, context);
}

Connecting::Outcome Connecting::slot_available(Proxied& connection, Context& context) noexcept {
  if (state_ != State::queued || !connection.to().queue().is_first(ticket_)) return Outcome::waits;
  auto taken = connection.take_place(tried_, true, context.now);
  if (taken.outcome == upstream::Pick::Outcome::full) return Outcome::waits;
  leave_queue(connection);
  if (tried_.is_empty())
    begin_budget(connection, context.now);
  else if (budget_end_ != base::never)
    budget_end_ += context.now - connection.last_activity_;  // waiting in line costs nothing of it
  if (taken.outcome == upstream::Pick::Outcome::nobody)
    return no_more_attempts(connection, context);
  connection.lease = std::move(taken.lease);
  if (tried_.has(connection.endpoint())) return pause_for_next_round(connection, context);
  if (hold_ready(connection, context)) return hold(connection, context);
  return attempt(connection, context) ? Outcome::waits : next_attempt(connection, context);
}

void Connecting::leave_queue(Proxied& connection) noexcept {
  if (state_ != State::queued) return;
  state_ = State::asking;
  connection.to().queue().leave(ticket_);
}

}  // namespace penstock::session

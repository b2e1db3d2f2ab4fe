// Waiting in line for a free place, and leaving an endpoint that goes away.

#include <algorithm>

#include "base/time.hpp"
#include "base/times.hpp"
#include "session/context.hpp"
#include "session/proxy_session.hpp"
#include "upstream/cluster.hpp"
#include "upstream/live_record.hpp"
#include "upstream/spec.hpp"
#include "upstream/upstream.hpp"

namespace penstock::session {

Next ProxySession::wait_in_line(Context& context) noexcept {
  const auto ticket = to().queue().join(context.forwarder, token(client));
  if (!ticket) return finish(CloseReason::queue_full, Ending::reset, context);
  ticket_ = *ticket;
  phase_ = Phase::queued;
  last_activity_ = context.now;
  lease_ = {};  // a record may be freed while its last caller waits in line
  deadline_ = base::deadline_after(context.now, to().spec().queue.timeout);
  context.timers.arm(*this, std::min(deadline_, context.drain_deadline));
  return slot_available(context);  // a place may have become free before it stood in line
}

Next ProxySession::slot_available(Context& context) noexcept {
  if (phase_ != Phase::queued || !to().queue().is_first(ticket_)) return Next::wait;
  auto taken = take_place(true, context);
  if (taken.outcome == upstream::Pick::Outcome::full) return Next::wait;
  leave_line();
  if (tried_.is_empty())
    begin_budget(context);
  else if (connect_end_ != base::never)
    connect_end_ += context.now - last_activity_;  // waiting in line costs nothing of it
  if (taken.outcome == upstream::Pick::Outcome::nobody) return no_more_attempts(context);
  lease_ = std::move(taken.lease);
  if (tried_.has(endpoint())) return pause_for_next_round(context);
  return attempt(context) ? Next::wait : next_attempt(context);
}

void ProxySession::leave_line() noexcept {
  if (phase_ != Phase::queued) return;
  phase_ = Phase::connecting;
  to().queue().leave(ticket_);
}

Next ProxySession::leave(const EndpointRemoval& removal, Context& context) noexcept {
  if (lease_.endpoint() != removal.endpoint || !lease_.is_held()) return Next::wait;
  switch (phase_) {
    case Phase::relaying:
      if (removal.at_once) return begin_abort(removal.reason, context);
      drain_turn_ = std::min(drain_turn_, removal.turn);
      arm_deadlines(context);
      return Next::wait;
    case Phase::connecting:
      if (!removal.at_once) return Next::wait;
      lease_.give_back();
      close_side(upstream, Ending::reset, context);
      reason_ = removal.reason;
      return next_attempt(context);
    case Phase::queued:
    case Phase::pausing:
    case Phase::aborting:
    case Phase::ended: return Next::wait;
  }
  return Next::wait;
}

// When a connection is reset whose endpoint is being drained.
base::Instant ProxySession::drain_deadline() const noexcept {
  if (!lease_.is_held()) return base::never;
  return base::Instant{base::Duration{endpoint().drain_deadline.load(std::memory_order_relaxed)}};
}

}  // namespace penstock::session

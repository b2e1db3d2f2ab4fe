// Aborting: what was taken is given, as long as abort_linger allows, and then comes RST.
//
// A side that failed gets nothing more. Towards the other one, the bytes of a
// pipe, of a held buffer and of the kernel's send queue go out first: an RST drops all of them, and
// the peer may well be reading. From a side that failed, what it had sent before can still be read.

#include <algorithm>
#include <cerrno>

#include "os/socket.hpp"
#include "relay/direction.hpp"
#include "relay/side.hpp"
#include "session/context.hpp"
#include "session/proxy_session.hpp"

namespace penstock::session {

Next ProxySession::begin_abort(CloseReason reason, Context& context) noexcept {
  if (reason == CloseReason::upstream_reset && first_byte_ == Record::unknown)
    to().note_failure(endpoint(), context.now);
  trace(FlightEvent::Kind::aborting, std::max(sides_[client].error, sides_[upstream].error),
        context);
  phase_ = Phase::aborting;
  reason_ = reason;
  begin_linger(context);
  for (unsigned d = 0; d < directions_.size(); ++d) {
    if (sides_[d].failed) {
      sides_[d].readable = true;  // its last bytes may not be announced any more
      if (sides_[d].receiving) context.poller.cancel(sides_[d].socket);
    } else {
      directions_[d].stop_reading();
    }
  }
  return run_aborting(context);
}

Next ProxySession::run_aborting(Context& context) noexcept {
  bool hungry = false;
  for (unsigned d = 0; d < directions_.size(); ++d) {
    relay::Side& target = sides_[1 - d];
    if (!target.failed) {
      const auto run = directions_[d].run(sides_[d], target, context.relay);
      account(d, run.bytes, context);
      trace_run(d, run, context);
      hungry = hungry || run.outcome == relay::Outcome::hungry;
      // Not while the ring still answers what it was asked before.
      if (run.outcome == relay::Outcome::source_empty && !sides_[d].receiving)
        directions_[d].stop_reading();
    }
    if (target.failed) directions_[d].discard(sides_[d], target, context.relay);
  }
  const bool owed = owes_bytes_to(client) || owes_bytes_to(upstream);
  if (!goes_on_lingering(owed, context)) return finish(reason_, Ending::reset, context);
  // Who vanished gets his RST at once. A socket that the kernel itself gave up needs none: it stays
  // until the record was written, which asks it for its name and its figures.
  for (unsigned side = 0; side < sides_.size(); ++side)
    if (sides_[side].error == ETIMEDOUT && directions_[side].dry())
      close_side(side, Ending::reset, context);
  return hungry ? Next::hungry : Next::wait;
}

bool ProxySession::owes_bytes_to(unsigned side) const noexcept {
  if (sides_[side].failed) return false;
  return !directions_[1 - side].dry() || os::unacknowledged_bytes(sides_[side].socket) > 0;
}

}  // namespace penstock::session

// Aborting: what was taken is given, as long as abort_linger allows, and then comes RST.
//
// A side that failed gets nothing more. Towards the other one, the bytes of a pipe, of a held
// buffer and of the kernel's send queue go out first: an RST drops all of them, and the peer may
// well be reading. From a side that failed, what it had sent before can still be read.

#include <algorithm>
#include <cerrno>

#include "os/socket.hpp"
#include "relay/side.hpp"
#include "session/context.hpp"
#include "session/relaying.hpp"

namespace penstock::session {

void Relaying::begin_abort(Proxied& connection, Context& context) noexcept {
  auto& sides = connection.sides;
  if (connection.reason == CloseReason::upstream_reset && !has_first_byte())
    connection.to().note_failure(connection.endpoint(), context.now);
  connection.trace(FlightEvent::Kind::aborting, std::max(sides[0].error, sides[1].error), context);
  connection.end_delay();
  linger_.begin(context.now + connection.timeouts().abort_linger, context.now);
  for (unsigned d = 0; d < directions_.size(); ++d) {
    if (sides[d].failed) {
      sides[d].readable = true;  // its last bytes may not be announced any more
      if (sides[d].receiving) context.poller.cancel(sides[d].socket);
    } else {
      directions_[d].stop_reading();
    }
  }
}

Relaying::Outcome Relaying::run_aborting(Proxied& connection, Context& context) noexcept {
  auto& sides = connection.sides;
  bool hungry = false;
  for (unsigned d = 0; d < directions_.size(); ++d) {
    relay::Side& target = sides[1 - d];
    if (!target.failed) {
      const auto run = directions_[d].run(sides[d], target, context.relay);
      account(d, run.bytes, connection, context);
      connection.trace_run(d, run, context);
      hungry = hungry || run.outcome == relay::Outcome::hungry;
      // Not while the ring still answers what it was asked before.
      if (run.outcome == relay::Outcome::source_empty && !sides[d].receiving)
        directions_[d].stop_reading();
    }
    if (target.failed) directions_[d].discard(sides[d], target, context.relay);
  }
  const bool owed =
      owes_bytes_to(Proxied::client, connection) || owes_bytes_to(Proxied::upstream, connection);
  if (!linger_.goes_on(owed, connection, context)) return Outcome::aborted;
  // Who vanished gets his RST at once. A socket that the kernel itself gave up needs none: it stays
  // until the record was written, which asks it for its name and its figures.
  for (unsigned side = 0; side < sides.size(); ++side)
    if (sides[side].error == ETIMEDOUT && directions_[side].dry())
      connection.close_side(side, Ending::reset, context);
  return hungry ? Outcome::hungry : Outcome::waits;
}

bool Relaying::owes_bytes_to(unsigned side, const Proxied& connection) const noexcept {
  if (connection.sides[side].failed) return false;
  return !directions_[1 - side].dry() ||
         os::unacknowledged_bytes(connection.sides[side].socket) > 0;
}

}  // namespace penstock::session

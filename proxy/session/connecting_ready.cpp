// A socket that was kept ready takes the place of an attempt.

#include <utility>

#include "os/socket.hpp"
#include "relay/side.hpp"
#include "session/connecting.hpp"
#include "session/context.hpp"
#include "upstream/live_record.hpp"
#include "upstream/spec.hpp"

namespace penstock::session {

namespace {
// So long at most nobody looks for another socket because neither side says a word.
constexpr base::Duration held_max = std::chrono::seconds{5};
}  // namespace

// False where there is none that stands. REQUIRES: a lease of the endpoint.
bool Connecting::hold_ready(Proxied& connection, Context& context) noexcept {
  if (connection.to().spec().connect.ready == 0 || context.poller.on_ring()) return false;
  relay::Side& client = connection.sides[Proxied::client];
  auto taken = context.ready.take(*connection.arrival().listener, connection.endpoint(),
                                  client.socket, context.now);
  if (!taken.socket) return false;
  connection.begin_side(taken.socket.release());
  if (context.poller.add(connection.sides[Proxied::upstream].socket,
                         connection.token(Proxied::upstream), os::Poller::Reads::asked_for)) {
    connection.close_side(Proxied::upstream, Ending::reset, context);
    return false;
  }
  connection.sides[Proxied::upstream].writable = true;
  client.note({.token = connection.token(Proxied::client), .ready = taken.client});
  state_ = State::holding;
  bears_error_ = false;
  connection.last_activity_ = stood_ = context.now;
  attempt_end_ = context.now + held_max;
  return true;
}

// It is a connection once the client speaks, or the endpoint does. One that ends before that is
// given up for an ordinary attempt: nobody has said a word, so nothing is lost or said twice.
Connecting::Outcome Connecting::hold(Proxied& connection, Context& context) noexcept {
  const relay::Side& side = connection.sides[Proxied::upstream];
  const bool speaks = connection.sides[Proxied::client].readable || side.readable;
  if (!speaks && context.now < attempt_end_) {
    arm(connection, context);
    return Outcome::waits;
  }
  const bool ended = side.finishing && os::unread_bytes(side.socket).value_or(0) == 0;
  if (ended || connect_result(connection) != 0) {
    connection.close_side(Proxied::upstream, Ending::reset, context);
    if (budget_end_ != base::never) budget_end_ += context.now - stood_;  // it cost nothing of it
    return attempt(connection, context) ? Outcome::waits : next_attempt(connection, context);
  }
  count_attempt(connection, context);
  return connected(connection, context);
}

}  // namespace penstock::session

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
  const bool speaks = connection.sides[Proxied::client].readable || side.readable ||
                      context.drain_deadline != base::never;  // a drain has its own way with it
  if (!speaks && context.now < attempt_end_) {
    arm(connection, context);
    return Outcome::waits;
  }
  const bool ended = side.finishing && os::unread_bytes(side.socket).value_or(0) == 0;
  if (ended) return dial_instead(connection, context);
  if (const int error = connect_result(connection); error != 0) {
    if (os::unread_bytes(side.socket).value_or(0) == 0) return dial_instead(connection, context);
    connection.sides[Proxied::upstream].fail(error);
  }
  count_attempt(connection, context);
  return connected(connection, context);
}

Connecting::Outcome Connecting::stop_holding(Proxied& connection, Context& context) noexcept {
  attempt_end_ = context.now;
  return hold(connection, context);
}

// There, where it may still go there.
Connecting::Outcome Connecting::dial_instead(Proxied& connection, Context& context) noexcept {
  connection.close_side(Proxied::upstream, Ending::reset, context);
  credit_holding(context.now);
  if (connection.endpoint().may_have_ready_sockets() && attempt(connection, context))
    return Outcome::waits;
  connection.lease.give_back();
  return next_attempt(connection, context);
}

void Connecting::credit_holding(base::Instant now) noexcept {
  if (budget_end_ != base::never) budget_end_ += now - stood_;
}

}  // namespace penstock::session

// One attempt to connect: how it begins, fails and succeeds.

#include <algorithm>
#include <cerrno>

#include "base/time.hpp"
#include "os/poller.hpp"
#include "os/socket.hpp"
#include "relay/side.hpp"
#include "session/connecting.hpp"
#include "session/context.hpp"
#include "upstream/live_record.hpp"
#include "upstream/spec.hpp"

namespace penstock::session {

namespace {
bool is_shortage(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
         error == ENOSPC;
}

// An RST that answers a SYN is ECONNREFUSED. These come behind a handshake: the connection stood,
// and the endpoint may have said something before it went away.
bool stood_until_reset(int error) noexcept {
  return error == ECONNRESET || error == EPIPE;
}
}  // namespace

// False where it failed at once. REQUIRES: a lease of the endpoint.
bool Connecting::attempt(Proxied& connection, Context& context) noexcept {
  const upstream::ConnectOptions& connect = connection.to().spec().connect;
  const os::SocketAddress& address = connection.endpoint().address;
  state_ = State::asking;
  waits_for_backlog_ = false;
  bears_error_ = false;
  connection.last_activity_ = context.now;
  connection.trace(FlightEvent::Kind::connecting, 0, context);
  auto socket =
      os::connect_to(address, connection.arrival().listener->options.socket, connect.source);
  if (!socket && is_no_attempt(socket.error().value(), connection, context)) return false;
  count_attempt(connection, context);
  if (!socket) return note_failed(socket.error().value(), connection, context), false;
  connection.to().note_way(connection.endpoint());
  connection.begin_side(socket->release());
  if (const auto error =
          context.poller.add(connection.sides[Proxied::upstream].socket,
                             connection.token(Proxied::upstream), os::Poller::Reads::asked_for))
    return note_failed(error.value(), connection, context), false;
  attempt_end_ = std::min(base::deadline_after(context.now, connect.timeout), budget_end_);
  arm(connection, context);
  return true;
}

void Connecting::count_attempt(Proxied& connection, Context& context) noexcept {
  if (connection.attempts++ > 0) context.counters.upstreams[connection.to().index()].retries.add();
  tried_.add(connection.endpoint());
}

// No packet left, and nobody there was asked: this host cannot go there, or the queue of a unix
// endpoint is full, which TCP would wait out by repeating its SYN.
bool Connecting::is_no_attempt(int error, Proxied& connection, Context& context) noexcept {
  upstream::LiveRecord& endpoint = connection.endpoint();
  const auto host_fault = upstream::host_fault_from(error);
  waits_for_backlog_ = error == EAGAIN && endpoint.address.is_unix();
  if (!host_fault && !is_shortage(error)) connection.to().note_way(endpoint);
  if (!host_fault && !waits_for_backlog_) return false;
  if (host_fault) {
    connection.count_failure(*host_fault);
    connection.to().note_host_fault(endpoint, *host_fault, context.now);
    tried_.add_without_attempt(endpoint);
  } else {
    tried_.add(endpoint);
  }
  connection.trace(FlightEvent::Kind::connect_failed, error, context);
  connection.lease.give_back();
  connection.reason = CloseReason::connect_failed;
  return true;
}

void Connecting::note_failed(int error, Proxied& connection, Context& context) noexcept {
  const auto failure = upstream::connect_failure_from(error);
  connection.count_failure(failure);
  if (upstream::is_endpoints_fault(failure))
    connection.to().note_failure(connection.endpoint(), context.now);
  connection.trace(FlightEvent::Kind::connect_failed, error, context);
  connection.lease.give_back();
  connection.close_side(Proxied::upstream, Ending::reset, context);
  connection.reason = is_shortage(error) ? CloseReason::overload : CloseReason::connect_failed;
}

Connecting::Outcome Connecting::attempt_failed(int error, Proxied& connection,
                                               Context& context) noexcept {
  note_failed(error, connection, context);
  return next_attempt(connection, context);
}

Connecting::Outcome Connecting::endpoint_leaves(CloseReason reason, Proxied& connection,
                                                Context& context) noexcept {
  if (is_holding()) credit_holding(context.now);
  connection.lease.give_back();
  connection.close_side(Proxied::upstream, Ending::reset, context);
  connection.reason = reason;
  return next_attempt(connection, context);
}

int Connecting::connect_result(const Proxied& connection) const noexcept {
  const upstream::LiveRecord& endpoint = connection.endpoint();
  return os::connect_result(connection.sides[Proxied::upstream].socket, endpoint.address,
                            {.bears_error = bears_error_,
                             .may_reach_itself = connection.to().may_reach_itself(endpoint)});
}

Connecting::Outcome Connecting::run(Proxied& connection, Context& context) noexcept {
  if (state_ == State::holding) return hold(connection, context);
  relay::Side& side = connection.sides[Proxied::upstream];
  if (!is_asking() || !side.writable) return Outcome::waits;  // an error makes it "writable" too
  stood_ = context.now;
  const int error = connect_result(connection);
  if (error == 0) return connected(connection, context);
  if (!stood_until_reset(error) || os::unread_bytes(side.socket).value_or(0) == 0)
    return attempt_failed(error, connection, context);
  side.fail(error);
  return connected(connection, context);
}

Connecting::Outcome Connecting::connected(Proxied& connection, Context& context) noexcept {
  const base::Duration took = is_holding() ? base::Duration{0} : stood_ - connection.last_activity_;
  connection.endpoint().connections.fetch_add(1, std::memory_order_relaxed);
  // What was kept ready says nothing of how long a connect takes.
  if (state_ == State::asking && connection.to().spec().balance == upstream::Balance::peak_ewma)
    connection.endpoint().latency.sample(took, context.now);
  context.counters.upstreams[connection.to().index()].connect.record(took);
  connection.last_activity_ = context.now;
  connection.trace(FlightEvent::Kind::connected, 0, context);
  return Outcome::connected;
}

}  // namespace penstock::session

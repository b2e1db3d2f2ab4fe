// Connecting: attempts on one endpoint after another, within one budget.
//
// Nothing of the client has been read yet, so no attempt can make an endpoint see bytes twice.

#include <algorithm>
#include <cerrno>

#include "base/assert.hpp"
#include "base/time.hpp"
#include "base/times.hpp"
#include "os/poller.hpp"
#include "os/socket.hpp"
#include "relay/side.hpp"
#include "relay/zerocopy_paths.hpp"
#include "session/context.hpp"
#include "session/proxy_session.hpp"
#include "upstream/cluster.hpp"
#include "upstream/hash.hpp"
#include "upstream/live_record.hpp"
#include "upstream/spec.hpp"
#include "upstream/upstream.hpp"

namespace penstock::session {

namespace {
// Before an endpoint that just failed is tried again, because there is no other.
constexpr base::Duration pause_before_same_endpoint = std::chrono::milliseconds{100};

// Short connections never get there, which saves them the system calls of the first look.
constexpr base::Duration first_look_after = std::chrono::seconds{5};

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

upstream::Upstream::Taken ProxySession::take_place(bool in_line, Context& context) noexcept {
  const std::uint64_t key =
      to().cluster().uses_hash() ? upstream::hash_of(arrival_.peer, to().spec().hash_key) : 0;
  return to().take(key, tried_, in_line, context.now);
}

Next ProxySession::next_attempt(Context& context) noexcept {
  const upstream::ConnectOptions& connect = to().spec().connect;
  if (tried_.count() == 0)
    connect_end_ =
        base::deadline_after(context.now, base::times(connect.timeout, connect.attempts));
  if (tried_.count() >= connect.attempts || context.now >= connect_end_)
    return no_more_attempts(context);
  const auto taken = take_place(false, context);
  switch (taken.outcome) {
    case upstream::Pick::Outcome::full: return wait_in_line(context);
    case upstream::Pick::Outcome::nobody: return no_more_attempts(context);
    case upstream::Pick::Outcome::picked: break;
  }
  reserve(*taken.endpoint, context);
  if (!tried_.has(*endpoint_)) return attempt(context);
  phase_ = Phase::pausing;
  deadline_ = std::min(context.now + pause_before_same_endpoint, connect_end_);
  context.timers.arm(*this, std::min(deadline_, context.drain_deadline));
  return Next::wait;
}

void ProxySession::reserve(upstream::LiveRecord& endpoint, Context& context) noexcept {
  if (tried_.count() > 0) context.counters.upstreams[to().index()].retries.add();
  endpoint_ = &endpoint;
  endpoint_reserved_ = true;
}

// REQUIRES: a place at endpoint_ is reserved.
Next ProxySession::attempt(Context& context) noexcept {
  const upstream::ConnectOptions& connect = to().spec().connect;
  tried_.add(*endpoint_);
  phase_ = Phase::connecting;
  last_activity_ = context.now;
  trace(FlightEvent::Kind::connecting, 0, context);
  auto socket =
      os::connect_to(endpoint_->address, arrival_.listener->options.socket, connect.source);
  if (!socket) return attempt_failed(socket.error().value(), context);
  sides_[upstream] = {};
  sides_[upstream].socket = socket->release();
  sides_[upstream].short_read_is_empty = !endpoint_->address.is_unix();
  if (!endpoint_->address.is_unix())
    sides_[upstream].path = relay::path_towards(endpoint_->address.ip());
  if (const auto error = context.poller.add(sides_[upstream].socket, token(upstream),
                                            os::Poller::Reads::asked_for))
    return attempt_failed(error.value(), context);
  deadline_ = std::min(base::deadline_after(context.now, connect.timeout), connect_end_);
  context.timers.arm(*this, std::min(deadline_, context.drain_deadline));
  return Next::wait;
}

Next ProxySession::attempt_failed(int error, Context& context) noexcept {
  const auto failure = upstream::connect_failure_from(error);
  endpoint_->failures[static_cast<std::size_t>(failure)].fetch_add(1, std::memory_order_relaxed);
  if (upstream::is_endpoints_fault(failure)) to().note_failure(*endpoint_, context.now);
  trace(FlightEvent::Kind::connect_failed, error, context);
  release_endpoint();
  close_side(upstream, Ending::reset, context);
  reason_ = is_shortage(error) ? CloseReason::overload : CloseReason::connect_failed;
  return next_attempt(context);
}

Next ProxySession::no_more_attempts(Context& context) noexcept {
  return finish(tried_.count() == 0 ? CloseReason::no_endpoint : reason_, Ending::reset, context);
}

void ProxySession::release_endpoint() noexcept {
  if (std::exchange(endpoint_reserved_, false)) to().give_back(*endpoint_);
}

Next ProxySession::run_connecting(Context& context) noexcept {
  if (sides_[client].failed) return finish(failure_reason(), Ending::reset, context);
  if (phase_ != Phase::connecting) return Next::wait;
  const relay::Side& side = sides_[upstream];
  if (!side.writable) return Next::wait;  // an error makes it "writable" too
  const int error = os::connect_result(side.socket, endpoint_->address);
  if (error == 0) return connected(context);
  if (!stood_until_reset(error) || os::unread_bytes(side.socket) == 0)
    return attempt_failed(error, context);
  sides_[upstream].fail(error);
  return connected(context);
}

Next ProxySession::connected(Context& context) noexcept {
  const base::Duration took = context.now - last_activity_;
  endpoint_->connections.fetch_add(1, std::memory_order_relaxed);
  if (to().spec().balance == upstream::Balance::peak_ewma)
    endpoint_->latency.sample(took, context.now);
  context.counters.upstreams[to().index()].connect.record(took);
  connect_time_ = context.now - arrival_.at;
  last_activity_ = context.now;
  for (unsigned d = 0; d < directions_.size(); ++d) note_moved(d, context.now);
  trace(FlightEvent::Kind::connected, 0, context);
  phase_ = Phase::relaying;
  const base::Duration peer_timeout = timeouts().peer;
  deadline_ =
      context.now +
      (peer_timeout.count() == 0 ? first_look_after : std::min(first_look_after, peer_timeout / 4));
  arm_deadlines(context);
  return run_relaying(context);
}

}  // namespace penstock::session

// Connecting: attempts on one endpoint after another, within one budget.

#include <algorithm>
#include <cerrno>

#include "base/assert.hpp"
#include "os/socket.hpp"
#include "session/context.hpp"
#include "session/proxy_session.hpp"

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

Next ProxySession::next_attempt(Context& context) noexcept {
  const upstream::Cluster& cluster = *arrival_.listener->cluster;
  if (tried_.count() >= cluster.connect().attempts) return no_more_attempts(context);
  const std::uint16_t index = cluster.pick(tried_);
  if (index == upstream::Cluster::none)
    return finish(CloseReason::no_endpoint, Ending::reset, context);
  if (phase_ != Phase::pausing && tried_.has(index)) {
    phase_ = Phase::pausing;
    deadline_ = context.now + pause_before_same_endpoint;
    context.timers.arm(*this, deadline_);
    return Next::wait;
  }
  return attempt(index, context);
}

Next ProxySession::attempt(std::uint16_t index, Context& context) noexcept {
  const upstream::Cluster& cluster = *arrival_.listener->cluster;
  if (tried_.count() > 0)
    context.counters.upstreams[arrival_.listener->cluster_index].retries.add();
  tried_.add(index);
  phase_ = Phase::connecting;
  endpoint_ = cluster.endpoint(index).live;
  endpoint_->active.fetch_add(1, std::memory_order_relaxed);
  endpoint_reserved_ = true;
  last_activity_ = context.now;
  trace(FlightEvent::Kind::connecting, 0, context);
  auto socket = os::connect_to(endpoint_->address, arrival_.listener->options.socket);
  if (!socket) return attempt_failed(socket.error().value(), context);
  sides_[upstream] = {};
  sides_[upstream].socket = socket->release();
  sides_[upstream].short_read_is_empty = !endpoint_->address.is_unix();
  if (const auto error = context.poller.add(sides_[upstream].socket, token(upstream)))
    return attempt_failed(error.value(), context);
  deadline_ = base::deadline_after(context.now, cluster.connect().timeout);
  context.timers.arm(*this, std::min(deadline_, context.drain_deadline));
  return Next::wait;
}

Next ProxySession::attempt_failed(int error, Context& context) noexcept {
  const auto failure = upstream::connect_failure_from(error);
  endpoint_->failures[static_cast<std::size_t>(failure)].fetch_add(1, std::memory_order_relaxed);
  trace(FlightEvent::Kind::connect_failed, error, context);
  release_endpoint();
  close_side(upstream, Ending::reset);
  reason_ = is_shortage(error) ? CloseReason::overload : CloseReason::connect_failed;
  return next_attempt(context);
}

Next ProxySession::no_more_attempts(Context& context) noexcept {
  return finish(reason_, Ending::reset, context);
}

void ProxySession::release_endpoint() noexcept {
  if (!std::exchange(endpoint_reserved_, false)) return;
  endpoint_->active.fetch_sub(1, std::memory_order_relaxed);
}

Next ProxySession::run_connecting(Context& context) noexcept {
  if (sides_[client].failed) return finish(failure_reason(), Ending::reset, context);
  if (phase_ == Phase::pausing) return Next::wait;
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
  endpoint_->connections.fetch_add(1, std::memory_order_relaxed);
  context.counters.upstreams[arrival_.listener->cluster_index].connect.record(context.now -
                                                                              last_activity_);
  connect_time_ = context.now - arrival_.at;
  last_activity_ = context.now;
  for (unsigned d = 0; d < directions_.size(); ++d) note_moved(d, context.now);
  trace(FlightEvent::Kind::connected, 0, context);
  phase_ = Phase::relaying;
  const base::Duration peer_timeout = timeouts().peer;
  deadline_ =
      context.now +
      (peer_timeout.count() == 0 ? first_look_after : std::min(first_look_after, peer_timeout / 4));
  arm_relaying(context);
  return run_relaying(context);
}

}  // namespace penstock::session

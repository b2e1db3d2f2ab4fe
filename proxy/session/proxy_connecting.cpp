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
// After a round in which every endpoint failed, before the next one; doubled each time.
constexpr base::Duration first_pause = std::chrono::milliseconds{100};
constexpr base::Duration longest_pause = std::chrono::seconds{1};
constexpr std::uint8_t rounds_max = 5;  // then the pause is at its longest
static_assert(first_pause * (1 << (rounds_max - 1)) >= longest_pause);

// Beyond that the other connections have their turn first.
constexpr int asked_at_once_max = 64;

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

// +-20 %, so that those who failed together do not return together.
base::Duration pause_after(unsigned rounds, std::uint64_t connection) noexcept {
  const base::Duration whole = std::min(first_pause * (1 << (rounds - 1)), longest_pause);
  const std::uint64_t lot = upstream::mixed_again(connection, rounds) % 401;
  return whole / 1000 * static_cast<std::int64_t>(800 + lot);
}
}  // namespace

upstream::Upstream::Taken ProxySession::take_place(bool in_line, Context& context) noexcept {
  const std::uint64_t key =
      to().cluster().uses_hash() ? upstream::hash_of(arrival_.peer, to().spec().hash_key) : 0;
  return to().take(key, tried_, in_line, context.now);
}

void ProxySession::begin_budget(Context& context) noexcept {
  const upstream::ConnectOptions& connect = to().spec().connect;
  connect_end_ = base::deadline_after(context.now, base::times(connect.timeout, connect.attempts));
}

Next ProxySession::next_attempt(Context& context) noexcept {
  if (tried_.is_empty()) begin_budget(context);
  for (int asked = 0; asked < asked_at_once_max; ++asked) {
    if (attempts_ >= to().spec().connect.attempts || context.now >= connect_end_)
      return no_more_attempts(context);
    auto taken = take_place(false, context);
    switch (taken.outcome) {
      case upstream::Pick::Outcome::full: return wait_in_line(context);
      case upstream::Pick::Outcome::nobody: return no_more_attempts(context);
      case upstream::Pick::Outcome::picked: break;
    }
    lease_ = std::move(taken.lease);
    if (tried_.has(endpoint())) return pause_for_next_round(context);
    if (attempt(context)) return Next::wait;
  }
  return pause(base::Duration{0}, context);
}

// Nobody holds a place while it pauses: whoever waits in line may have better luck.
Next ProxySession::pause_for_next_round(Context& context) noexcept {
  lease_.give_back();
  tried_.start_round();
  if (rounds_ < rounds_max) ++rounds_;
  return pause(pause_after(rounds_, arrival_.id), context);
}

Next ProxySession::pause(base::Duration length, Context& context) noexcept {
  phase_ = Phase::pausing;
  deadline_ = std::min(context.now + length, connect_end_);
  context.timers.arm(*this, std::min(deadline_, context.drain_deadline));
  return Next::wait;
}

// False where it failed at once. REQUIRES: a lease of the endpoint.
bool ProxySession::attempt(Context& context) noexcept {
  const upstream::ConnectOptions& connect = to().spec().connect;
  phase_ = Phase::connecting;
  waits_for_backlog_ = false;
  last_activity_ = context.now;
  trace(FlightEvent::Kind::connecting, 0, context);
  auto socket =
      os::connect_to(endpoint().address, arrival_.listener->options.socket, connect.source);
  if (!socket && is_no_attempt(socket.error().value(), context)) return false;
  if (attempts_++ > 0) context.counters.upstreams[to().index()].retries.add();
  tried_.add(endpoint());
  if (!socket) return note_failed(socket.error().value(), context), false;
  to().note_way(endpoint());
  sides_[upstream] = {};
  sides_[upstream].socket = socket->release();
  sides_[upstream].short_read_is_empty = !endpoint().address.is_unix();
  if (!endpoint().address.is_unix())
    sides_[upstream].path = relay::path_towards(endpoint().address.ip());
  if (const auto error = context.poller.add(sides_[upstream].socket, token(upstream),
                                            os::Poller::Reads::asked_for))
    return note_failed(error.value(), context), false;
  deadline_ = std::min(base::deadline_after(context.now, connect.timeout), connect_end_);
  context.timers.arm(*this, std::min(deadline_, context.drain_deadline));
  return true;
}

// No packet left, and nobody there was asked: this host cannot go there, or the queue of a unix
// endpoint is full, which TCP would wait out by repeating its SYN.
bool ProxySession::is_no_attempt(int error, Context& context) noexcept {
  const auto host_fault = upstream::host_fault_from(error);
  waits_for_backlog_ = error == EAGAIN && endpoint().address.is_unix();
  if (!host_fault && !is_shortage(error)) to().note_way(endpoint());
  if (!host_fault && !waits_for_backlog_) return false;
  if (host_fault) {
    count_failure(*host_fault);
    to().note_host_fault(endpoint(), *host_fault, context.now);
    tried_.add_without_attempt(endpoint());
  } else {
    tried_.add(endpoint());
  }
  trace(FlightEvent::Kind::connect_failed, error, context);
  lease_.give_back();
  reason_ = CloseReason::connect_failed;
  return true;
}

void ProxySession::count_failure(upstream::ConnectFailure failure) noexcept {
  last_failure_ = failure;
  endpoint().failures[static_cast<std::size_t>(failure)].fetch_add(1, std::memory_order_relaxed);
}

void ProxySession::note_failed(int error, Context& context) noexcept {
  const auto failure = upstream::connect_failure_from(error);
  count_failure(failure);
  if (upstream::is_endpoints_fault(failure)) to().note_failure(endpoint(), context.now);
  trace(FlightEvent::Kind::connect_failed, error, context);
  lease_.give_back();
  close_side(upstream, Ending::reset, context);
  reason_ = is_shortage(error) ? CloseReason::overload : CloseReason::connect_failed;
}

Next ProxySession::attempt_failed(int error, Context& context) noexcept {
  note_failed(error, context);
  return next_attempt(context);
}

Next ProxySession::no_more_attempts(Context& context) noexcept {
  // As a SYN that nobody answered for all that time.
  if (waits_for_backlog_ && lease_.endpoint() != nullptr) {
    count_failure(upstream::ConnectFailure::timeout);
    to().note_failure(endpoint(), context.now);
  }
  return finish(tried_.is_empty() ? CloseReason::no_endpoint : reason_, Ending::reset, context);
}

Next ProxySession::run_connecting(Context& context) noexcept {
  if (sides_[client].failed) return finish(failure_reason(), Ending::reset, context);
  if (phase_ != Phase::connecting) return Next::wait;
  const relay::Side& side = sides_[upstream];
  if (!side.writable) return Next::wait;  // an error makes it "writable" too
  const int error = os::connect_result(side.socket, endpoint().address);
  if (error == 0) return connected(context);
  if (!stood_until_reset(error) || os::unread_bytes(side.socket) == 0)
    return attempt_failed(error, context);
  sides_[upstream].fail(error);
  return connected(context);
}

Next ProxySession::connected(Context& context) noexcept {
  const base::Duration took = context.now - last_activity_;
  endpoint().connections.fetch_add(1, std::memory_order_relaxed);
  if (to().spec().balance == upstream::Balance::peak_ewma)
    endpoint().latency.sample(took, context.now);
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

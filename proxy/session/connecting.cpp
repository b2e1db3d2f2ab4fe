#include "session/connecting.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/times.hpp"
#include "session/context.hpp"
#include "upstream/hash.hpp"
#include "upstream/spec.hpp"

namespace penstock::session {

namespace {
// After a round in which every endpoint failed, before the next one; doubled each time.
constexpr base::Duration first_pause = std::chrono::milliseconds{100};
constexpr base::Duration longest_pause = std::chrono::seconds{1};
constexpr std::uint8_t rounds_max = 5;  // then the pause is at its longest
static_assert(first_pause * (1 << (rounds_max - 1)) >= longest_pause);

// Beyond that the other connections have their turn first.
constexpr int asked_at_once_max = 64;

// +-20 %, so that those who failed together do not return together.
base::Duration pause_after(unsigned rounds, std::uint64_t connection) noexcept {
  const base::Duration whole = std::min(first_pause * (1 << (rounds - 1)), longest_pause);
  const std::uint64_t lot = upstream::mixed_again(connection, rounds) % 401;
  return whole / 1000 * static_cast<std::int64_t>(800 + lot);
}
}  // namespace

Connecting::Outcome Connecting::next_attempt(Proxied& connection, Context& context) noexcept {
  if (tried_.is_empty()) begin_budget(connection, context.now);
  const int attempts_max = connection.to().spec().connect.attempts;
  for (int asked = 0; asked < asked_at_once_max; ++asked) {
    if (connection.attempts >= attempts_max || context.now >= budget_end_)
      return no_more_attempts(connection, context);
    auto taken = connection.take_place(tried_, false, context.now);
    switch (taken.outcome) {
      case upstream::Pick::Outcome::full:
        if (context.ready.make_room(connection.to())) continue;
        return wait_in_line(connection, context);
      case upstream::Pick::Outcome::nobody: return no_more_attempts(connection, context);
      case upstream::Pick::Outcome::picked: break;
    }
    connection.lease = std::move(taken.lease);
    if (tried_.has(connection.endpoint())) return pause_for_next_round(connection, context);
    if (hold_ready(connection, context)) return hold(connection, context);
    if (attempt(connection, context)) return Outcome::waits;
  }
  return pause(base::Duration{0}, connection, context);
}

// Nobody holds a place while it pauses: whoever waits in line may have better luck.
Connecting::Outcome Connecting::pause_for_next_round(Proxied& connection,
                                                     Context& context) noexcept {
  connection.lease.give_back();
  tried_.start_round();
  if (rounds_ < rounds_max) ++rounds_;
  return pause(pause_after(rounds_, connection.arrival().id), connection, context);
}

Connecting::Outcome Connecting::pause(base::Duration length, Proxied& connection,
                                      Context& context) noexcept {
  state_ = State::pausing;
  pause_end_ = std::min(context.now + length, budget_end_);
  arm(connection, context);
  return Outcome::waits;
}

Connecting::Outcome Connecting::no_more_attempts(Proxied& connection, Context& context) noexcept {
  // As a SYN that nobody answered for all that time.
  if (waits_for_backlog_ && connection.lease.endpoint() != nullptr) {
    connection.count_failure(upstream::ConnectFailure::timeout);
    connection.to().note_failure(connection.endpoint(), context.now);
  }
  if (tried_.is_empty()) connection.reason = CloseReason::no_endpoint;
  return Outcome::failed;
}

void Connecting::begin_budget(const Proxied& connection, base::Instant now) noexcept {
  const upstream::ConnectOptions& connect = connection.to().spec().connect;
  budget_end_ = base::deadline_after(now, base::times(connect.timeout, connect.attempts));
}

Connecting::Outcome Connecting::expired(Proxied& connection, Context& context) noexcept {
  switch (state_) {
    case State::asking: return attempt_failed(ETIMEDOUT, connection, context);
    case State::holding: return hold(connection, context);
    case State::pausing: return next_attempt(connection, context);
    case State::queued: break;
  }
  connection.reason = CloseReason::queue_timeout;
  return Outcome::failed;
}

base::Instant Connecting::deadline() const noexcept {
  switch (state_) {
    case State::asking:
    case State::holding: return attempt_end_;
    case State::queued: return queue_end_;
    case State::pausing: break;
  }
  return pause_end_;
}

void Connecting::arm(Proxied& connection, Context& context) const noexcept {
  const bool drains = context.drain_deadline != base::never;
  const base::Instant until = drains && is_holding() ? context.now : deadline();
  context.timers.arm(connection, std::min(until, context.drain_deadline));
}

}  // namespace penstock::session

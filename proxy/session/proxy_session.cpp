#include "session/proxy_session.hpp"

#include <algorithm>
#include <memory>
#include <type_traits>

#include "base/assert.hpp"
#include "os/address.hpp"
#include "os/socket.hpp"
#include "relay/zerocopy_paths.hpp"
#include "session/accounting.hpp"
#include "session/context.hpp"
#include "upstream/live_record.hpp"

namespace penstock::session {

static_assert(std::is_trivially_destructible_v<Connecting>, "one takes the place of the other");
static_assert(std::is_trivially_destructible_v<Relaying>, "and nobody destroys it");

namespace {
// Short connections never get there, which saves them the system calls of the first look.
constexpr base::Duration first_look_after = std::chrono::seconds{5};
}  // namespace

ProxySession::~ProxySession() {
  PENSTOCK_ASSERT(phase_ == Phase::ended);
}

Next ProxySession::start(Context& context) noexcept {
  sides[client].socket = arrival_.socket;
  sides[client].short_read_is_empty = arrival_.peer.family != os::IpEndpoint::Family::none;
  opened(arrival_, context);
  if (arrival_.over_limit) return finish(CloseReason::connection_limit, Ending::reset, context);
  sides[client].path = relay::path_towards(arrival_.peer);
  if (context.poller.add(arrival_.socket, token(client), os::Poller::Reads::asked_for))
    return finish(CloseReason::overload, Ending::reset, context);
  return follow(connecting_.next_attempt(*this, context), context);
}

void ProxySession::note(unsigned side, const os::Event& event, Context& context) noexcept {
  relay::Side& noted = sides[side];
  const os::Readiness ready = event.ready;
  if (noted.socket < 0) {
    if (event.bytes > 0) context.poller.give_back(event.buffer);
    return;
  }
  noted.note(event);
  // While connecting, the upstream's error is the answer to the attempt: connect_result() takes it.
  const bool answers_attempt = side == upstream && phase_ == Phase::connecting;
  if (ready.failed && answers_attempt) connecting_.note_error();
  if (ready.failed && !answers_attempt) {
    if (const int error = os::take_error(noted.socket); error != 0) noted.fail(error);
    if (stands()) relaying_.take_notices(side, *this, context);  // an error that is none
  }
  trace_ready(side, ready, context);
}

Next ProxySession::run(Context& context) noexcept {
  switch (phase_) {
    case Phase::connecting:
      if (sides[client].failed) return finish(failure_reason(), Ending::reset, context);
      return follow(connecting_.run(*this, context), context);
    case Phase::relaying: return run_relaying(context);
    case Phase::aborting: return follow(relaying_.run_aborting(*this, context), context);
    case Phase::ended: break;
  }
  PENSTOCK_ASSERT(false);
}

Next ProxySession::expired(Context& context) noexcept {
  if (context.now >= context.drain_deadline)
    return finish(CloseReason::drain, Ending::reset, context);
  if (context.now >= drain_deadline())
    return finish(CloseReason::endpoint_removed, Ending::reset, context);
  trace(FlightEvent::Kind::timer, 0, context);
  switch (phase_) {
    case Phase::connecting: return follow(connecting_.expired(*this, context), context);
    case Phase::relaying: return check_deadlines(context);
    case Phase::aborting: return follow(relaying_.run_aborting(*this, context), context);
    case Phase::ended: break;
  }
  PENSTOCK_ASSERT(false);
}

void ProxySession::begin_drain(base::Instant turn, Context& context) noexcept {
  drain_turn_ = {turn, context.now};
  if (phase_ == Phase::relaying) arm_deadlines(context);
  if (phase_ == Phase::connecting) connecting_.arm(*this, context);
}

Next ProxySession::slot_available(Context& context) noexcept {
  if (phase_ != Phase::connecting) return Next::wait;
  return follow(connecting_.slot_available(*this, context), context);
}

Next ProxySession::leave(const EndpointRemovals& removals, base::Instant turn,
                         Context& context) noexcept {
  const EndpointRemoval* removal = lease.is_held() ? removals.of(lease.endpoint()) : nullptr;
  if (removal == nullptr) return Next::wait;
  if (phase_ == Phase::connecting && removal->at_once)
    return follow(connecting_.endpoint_leaves(removal->reason, *this, context), context);
  Next next = Next::wait;
  if (phase_ == Phase::connecting && connecting_.is_holding())
    next = follow(connecting_.stop_holding(*this, context), context);
  if (phase_ != Phase::relaying) return next;
  if (removal->at_once) return begin_abort(removal->reason, context);
  drain_turn_ = {std::min(drain_turn_.near(context.now), turn), context.now};
  arm_deadlines(context);
  return next;
}

void ProxySession::cut(Context& context) noexcept {
  finish(CloseReason::drain, Ending::reset, context);
}

Next ProxySession::follow(Connecting::Outcome outcome, Context& context) noexcept {
  switch (outcome) {
    case Connecting::Outcome::waits: return Next::wait;
    case Connecting::Outcome::connected: return begin_relaying(context);
    case Connecting::Outcome::failed: return finish(reason, Ending::reset, context);
  }
  PENSTOCK_ASSERT(false);
}

Next ProxySession::begin_relaying(Context& context) noexcept {
  keep_tried();
  const base::Instant stood = connecting_.stood();
  std::construct_at(&relaying_, *this, stood, context.now);
  phase_ = Phase::relaying;
  const base::Duration peer_timeout = timeouts().peer;
  const base::Duration first_look =
      peer_timeout.count() == 0 ? first_look_after : std::min(first_look_after, peer_timeout / 4);
  look_at_peers_ = {context.now + first_look, context.now};
  arm_deadlines(context);
  return run_relaying(context);
}

Next ProxySession::run_relaying(Context& context) noexcept {
  const Relaying::Outcome outcome = relaying_.run(*this, context);
  is_bulk_ = relaying_.is_bulk();
  return follow(outcome, context);
}

Next ProxySession::follow(Relaying::Outcome outcome, Context& context) noexcept {
  switch (outcome) {
    case Relaying::Outcome::waits: return Next::wait;
    case Relaying::Outcome::hungry: return Next::hungry;
    case Relaying::Outcome::starved: return Next::starved;
    case Relaying::Outcome::failed: return begin_abort(failure_reason(), context);
    case Relaying::Outcome::complete: return finish(CloseReason::complete, Ending::fin, context);
    case Relaying::Outcome::aborted: return finish(reason, Ending::reset, context);
  }
  PENSTOCK_ASSERT(false);
}

Next ProxySession::begin_abort(CloseReason why, Context& context) noexcept {
  phase_ = Phase::aborting;
  reason = why;
  relaying_.begin_abort(*this, context);
  return follow(relaying_.run_aborting(*this, context), context);
}

std::optional<std::uint64_t> ProxySession::looks_stalled(Context& context) noexcept {
  if (phase_ != Phase::relaying) return std::nullopt;
  return relaying_.looks_stalled(*this, context);
}

void ProxySession::resume_stalled(Context& context) noexcept {
  const auto ready = Relaying::ready_now(*this);
  relaying_.report_stall(ready, *this, context);
  for (unsigned side = 0; side < sides.size(); ++side)
    note(side, {.token = token(side), .ready = ready[side]}, context);
}

}  // namespace penstock::session

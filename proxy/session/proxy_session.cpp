#include "session/proxy_session.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "os/address.hpp"
#include "os/clock.hpp"
#include "os/socket.hpp"
#include "relay/counters.hpp"
#include "relay/zerocopy_paths.hpp"
#include "session/accounting.hpp"
#include "session/context.hpp"
#include "session/counters.hpp"
#include "upstream/cluster.hpp"
#include "upstream/live_record.hpp"
#include "upstream/spec.hpp"
#include "upstream/upstream.hpp"

namespace penstock::session {

ProxySession::~ProxySession() {
  PENSTOCK_ASSERT(phase_ == Phase::ended);
}

Next ProxySession::start(Context& context) noexcept {
  sides_[client].socket = arrival_.socket;
  sides_[client].short_read_is_empty = arrival_.peer.family != os::IpEndpoint::Family::none;
  opened(arrival_, context);
  if (arrival_.over_limit) return finish(CloseReason::connection_limit, Ending::reset, context);
  sides_[client].path = relay::path_towards(arrival_.peer);
  if (context.poller.add(arrival_.socket, token(client), os::Poller::Reads::asked_for))
    return finish(CloseReason::overload, Ending::reset, context);
  return next_attempt(context);
}

void ProxySession::note(unsigned side, const os::Event& event, Context& context) noexcept {
  relay::Side& noted = sides_[side];
  const os::Readiness ready = event.ready;
  if (noted.socket < 0) {
    if (event.bytes > 0) context.poller.give_back(event.buffer);
    return;
  }
  noted.note(event);
  // While connecting, the upstream's error is the answer to the attempt: connect_result() takes it.
  const bool answers_attempt = side == upstream && phase_ == Phase::connecting;
  if (ready.failed && !answers_attempt) {
    if (const int error = os::take_error(noted.socket); error != 0) noted.fail(error);
    directions_[1 - side].take_notices(noted, context.relay);  // an error that is none
  }
  trace_ready(side, ready, context);
}

Next ProxySession::run(Context& context) noexcept {
  switch (phase_) {
    case Phase::queued:
    case Phase::connecting:
    case Phase::pausing: return run_connecting(context);
    case Phase::relaying: return run_relaying(context);
    case Phase::aborting: return run_aborting(context);
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
    case Phase::queued: return finish(CloseReason::queue_timeout, Ending::reset, context);
    case Phase::connecting: return attempt_failed(ETIMEDOUT, context);
    case Phase::pausing: return next_attempt(context);
    case Phase::relaying: return check_deadlines(context);
    case Phase::aborting: return run_aborting(context);
    case Phase::ended: break;
  }
  PENSTOCK_ASSERT(false);
}

void ProxySession::begin_drain(base::Instant turn, Context& context) noexcept {
  drain_turn_ = turn;
  if (phase_ == Phase::relaying) arm_deadlines(context);
  if (phase_ == Phase::connecting || phase_ == Phase::pausing || phase_ == Phase::queued)
    context.timers.arm(*this, std::min(deadline_, context.drain_deadline));
}

void ProxySession::cut(Context& context) noexcept {
  finish(CloseReason::drain, Ending::reset, context);
}

Next ProxySession::finish(CloseReason reason, Ending ending, Context& context) noexcept {
  PENSTOCK_ASSERT(phase_ != Phase::ended);
  leave_line();
  if (reason == CloseReason::complete) to().note_success(endpoint());
  if (reason == CloseReason::drain && ending == Ending::reset) context.counters.cut.add();
  for (unsigned d = 0; d < directions_.size(); ++d)
    directions_[d].discard(sides_[d], sides_[1 - d], context.relay);
  Record record;
  fill_record(record, context);
  for (auto& direction : directions_) direction.end(context.relay);
  close_side(upstream, ending, context);
  close_side(client, ending, context);
  lease_.give_back();
  end_trace(context);
  phase_ = Phase::ended;
  context.timers.disarm(*this);
  closed(arrival_, reason, record, context);
  return Next::ended;
}

void ProxySession::close_side(unsigned side, Ending ending, Context& context) noexcept {
  const int socket = std::exchange(sides_[side].socket, -1);
  if (socket < 0) return;
  if (ending == Ending::reset) os::reset_on_close(socket);
  context.poller.close(socket);
}

void ProxySession::fill_tried(Record& record) const noexcept {
  if (tried_.is_empty() || (attempts_ == 1 && tried_.count() == 1)) return;
  for (const upstream::Cluster::Endpoint& endpoint : to().cluster().endpoints())
    if (const std::size_t place = tried_.place_of(*endpoint.live);
        place < std::min(tried_.count(), record.tried.size()))
      record.tried[place] = endpoint.live;
}

void ProxySession::fill_record(Record& record, Context& context) noexcept {
  record.endpoint = lease_.endpoint();
  record.attempts = attempts_;
  if (last_failure_) record.connect_error = upstream::connect_failure_names[*last_failure_];
  fill_tried(record);
  record.connect = connect_time_;
  record.first_byte = first_byte_;
  record.truncated_to_upstream = directions_[to_upstream].lost_bytes();
  record.truncated_to_client = directions_[to_client].lost_bytes();
  for (std::size_t direction = 0; direction < directions_.size(); ++direction)
    for (std::size_t engine = 0; engine < relay::engine_names.size(); ++engine)
      record.bytes[direction][engine] =
          directions_[direction].bytes_by(static_cast<relay::Engine>(engine));
  note_kernel_figures(record, arrival_, client, sides_[client].socket, context);
  if (connect_time_ == Record::unknown) return;
  note_kernel_figures(record, arrival_, upstream, sides_[upstream].socket, context);
  if (record.upstream_rtt != Record::unknown && to().spec().balance == upstream::Balance::peak_ewma)
    endpoint().latency.sample(record.upstream_rtt, context.now);
}

}  // namespace penstock::session

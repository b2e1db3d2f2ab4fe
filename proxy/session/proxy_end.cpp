// The end of a proxied connection, and its record.

#include <algorithm>
#include <new>

#include "base/assert.hpp"
#include "session/accounting.hpp"
#include "session/context.hpp"
#include "session/proxy_session.hpp"
#include "upstream/cluster.hpp"
#include "upstream/live_record.hpp"
#include "upstream/spec.hpp"

namespace penstock::session {

Next ProxySession::finish(CloseReason why, Ending ending, Context& context) noexcept {
  PENSTOCK_ASSERT(phase_ != Phase::ended);
  if (phase_ == Phase::connecting) connecting_.leave_queue(*this);
  if (why == CloseReason::complete) to().note_success(endpoint());
  if (why == CloseReason::drain && ending == Ending::reset) context.counters.cut.add();
  if (stands()) relaying_.discard(*this, context);
  Record record;
  fill_record(record, context);
  close_side(upstream, ending, context);
  close_side(client, ending, context);
  lease.give_back();
  end_trace(context);
  phase_ = Phase::ended;
  context.timers.disarm(*this);
  closed(arrival_, why, record, context);
  return Next::ended;
}

// Connections whose first attempt stands, nearly all, keep nothing. Without memory the record names
// the last endpoint alone.
void ProxySession::keep_tried() noexcept {
  const upstream::Tried& tried = connecting_.tried();
  if (attempts == 1 && tried.count() == 1) return;
  tried_.reset(new (std::nothrow) const upstream::Tried{tried});
}

void ProxySession::fill_tried(Record& record) const noexcept {
  const upstream::Tried* const tried = stands() ? tried_.get() : &connecting_.tried();
  if (tried == nullptr || tried->is_empty() || (attempts == 1 && tried->count() == 1)) return;
  for (const upstream::Cluster::Endpoint& endpoint : to().cluster().endpoints())
    if (const std::size_t place = tried->place_of(*endpoint.live);
        place < std::min(tried->count(), record.tried.size()))
      record.tried[place] = endpoint.live;
}

void ProxySession::fill_record(Record& record, Context& context) noexcept {
  record.endpoint = lease.endpoint();
  record.attempts = attempts;
  if (has_failed) record.connect_error = upstream::connect_failure_names[last_failure];
  fill_tried(record);
  if (stands()) relaying_.end(record, context);
  note_kernel_figures(record, arrival_, client, sides[client].socket, context);
  if (!stands()) return;
  note_kernel_figures(record, arrival_, upstream, sides[upstream].socket, context);
  if (record.upstream_rtt != Record::unknown && to().spec().balance == upstream::Balance::peak_ewma)
    endpoint().latency.sample(record.upstream_rtt, context.now);
}

}  // namespace penstock::session

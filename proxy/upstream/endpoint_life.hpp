#pragma once
// What time does to an endpoint: slow start, the end of an ejection, what is remembered of it.
//
// Thread   control.

#include "base/time.hpp"
#include "upstream/upstream.hpp"

namespace penstock::upstream {

// Slow start goes in steps of a tenth: each is a new layout.
inline constexpr int ramp_steps = 10;
// An ejected endpoint returns so gently, where slow_start is shorter.
inline constexpr base::Duration return_ramp = std::chrono::seconds{10};

// An endpoint that is new, or was gone and is here again. `eases_in`: others carry the traffic
// already.
void enter(LiveRecord& endpoint, const ClusterSpec& spec, bool eases_in, base::Instant now);
// It has gone from its upstream. One that is back before `forget_at` goes on where it was.
void vanish(Upstream& upstream, LiveRecord& endpoint, base::Instant now, base::Instant forget_at);
// It is not coming back: should it all the same, it is a new one.
void forget(LiveRecord& endpoint);

// False where that is nothing new.
bool judge(LiveRecord& endpoint, const ClusterSpec& spec, Health health, std::string why,
           base::Instant now);
bool command(LiveRecord& endpoint, const ClusterSpec& spec, Override said, base::Instant now);

// Ends an ejection that is over and forgets old ones. The next time that this has something to do.
base::Instant age(Upstream& upstream, LiveRecord& endpoint, base::Instant now);

// The share of its weight that an endpoint has now, in steps of 1 / ramp_steps.
double ramp_at(const LiveRecord& endpoint, base::Instant now);

// The words for its state.
std::string why_of(const LiveRecord& endpoint);
// REQUIRES: `fault` is one that host_fault_from() answers with.
std::string host_fault_text(ConnectFailure fault);

}  // namespace penstock::upstream

#include "control/forwarder_watch.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace penstock::control {

ForwarderWatch::ForwarderWatch(runtime::Server& server, base::Instant now)
    : server_{server}, last_tick_{now} {
  const std::size_t count = server.forwarders().size();
  asked_.assign(count, now);
  busy_nanoseconds_.assign(count, 0);
  busy_ratios_.assign(count, 0.0);
}

void ForwarderWatch::tick(base::Instant now) {
  const auto passed = static_cast<double>((now - last_tick_).count());
  last_tick_ = now;
  for (const runtime::ForwarderView& forwarder : server_.forwarders()) {
    const std::size_t i = forwarder.index;
    const std::uint64_t busy = forwarder.busy_nanoseconds - busy_nanoseconds_[i];
    busy_nanoseconds_[i] = forwarder.busy_nanoseconds;
    if (passed > 0) busy_ratios_[i] = std::clamp(static_cast<double>(busy) / passed, 0.0, 1.0);
    if (forwarder.last_answer >= asked_[i]) asked_[i] = now;
  }
  server_.ping();
}

bool ForwarderWatch::answers(const runtime::ForwarderView& forwarder,
                             base::Instant now) const noexcept {
  const base::Instant asked = asked_[forwarder.index];
  return forwarder.last_answer >= asked || now - asked <= base::forwarder_silent_max;
}

}  // namespace penstock::control

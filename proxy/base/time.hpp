#pragma once
// Time as values. There is no `now()` on this floor: the clock is read in os/clock, once per
// wake-up, and passed down, so that a test or the simulated kernel can be the clock.

#include <chrono>
#include <limits>

namespace penstock::base {

using Duration = std::chrono::nanoseconds;

// The tag of CLOCK_MONOTONIC; deliberately without now().
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock, duration>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicClock::time_point;

inline constexpr Instant never = Instant::max();

// A timeout of 0 means "none" everywhere in the configuration. One that reaches beyond the clock's
// range (292 years) is none as well.
constexpr Instant deadline_after(Instant now, Duration timeout) noexcept {
  return timeout.count() == 0 || timeout >= never - now ? never : now + timeout;
}

}  // namespace penstock::base

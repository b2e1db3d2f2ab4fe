#pragma once
// Whether work grows with its input or faster, told by the processor's time of this thread.

#include <algorithm>
#include <functional>

#include "os/clock.hpp"

namespace penstock {

inline double processor_seconds(const std::function<void()>& work) {
  const base::Duration before = os::thread_cpu_time();
  work();
  return std::chrono::duration<double>(os::thread_cpu_time() - before).count();
}

inline constexpr double linear_growth_max = 2.5;

// The work for 2n by the work for n: 2 where it is linear, 4 where it is quadratic. What else the
// machine does only adds, so a growth that is too large is measured again. What is too short to be
// measured is called linear.
inline double growth(const std::function<void(std::size_t)>& work, std::size_t n) {
  constexpr double measurable_seconds = 0.003;
  constexpr int attempts = 6;
  double least = 1e9;
  for (int i = 0; i < attempts && least > linear_growth_max; ++i) {
    const double once = processor_seconds([&] { work(n); });
    const double twice = processor_seconds([&] { work(2 * n); });
    if (twice < measurable_seconds) return 2;
    least = std::min(least, twice / once);
  }
  return least;
}

}  // namespace penstock

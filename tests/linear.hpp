#pragma once
// Whether work grows with its input or faster, told by the processor's time of this thread.

#include <algorithm>
#include <cmath>
#include <functional>

#include "os/clock.hpp"

namespace penstock {

inline double processor_seconds(const std::function<void()>& work) {
  const base::Duration before = os::thread_cpu_time();
  work();
  return std::chrono::duration<double>(os::thread_cpu_time() - before).count();
}

inline constexpr double linear_growth_max = 2.5;

// How much each doubling of n adds to the work, over `doublings` of them: 2 where it is linear, 4
// where it is quadratic. What else the machine does only adds, so a growth that is too large is
// measured again. What is too short to be measured is called linear.
inline double growth_over(int doublings, const std::function<void(std::size_t)>& work,
                          std::size_t n) {
  constexpr double measurable_seconds = 0.003;
  constexpr int attempts = 6;
  double least = 1e9;
  for (int i = 0; i < attempts && least > linear_growth_max; ++i) {
    const double once = processor_seconds([&] { work(n); });
    const double often = processor_seconds([&] { work(n << doublings); });
    if (often < measurable_seconds) return 2;
    least = std::min(least, std::pow(often / once, 1.0 / doublings));
  }
  return least;
}

// The same for 2n. A step that is no slope is told by going further: a size from which on an
// allocator asks the kernel for memory, or a cache that is full, is met once only.
inline double growth(const std::function<void(std::size_t)>& work, std::size_t n) {
  const double once = growth_over(1, work, n);
  return once < linear_growth_max ? once : growth_over(3, work, n);
}

}  // namespace penstock

#include "os/clock.hpp"

#include <sys/random.h>

namespace penstock::os {

namespace {
std::int64_t read_clock(clockid_t clock) noexcept {
  timespec value{};
  ::clock_gettime(clock, &value);
  return value.tv_sec * 1'000'000'000LL + value.tv_nsec;
}
}  // namespace

base::Instant now() noexcept {
  return base::Instant{base::Duration{read_clock(CLOCK_MONOTONIC)}};
}

std::int64_t wall_clock_nanoseconds() noexcept {
  return read_clock(CLOCK_REALTIME);
}

base::Duration thread_cpu_time() noexcept {
  return base::Duration{read_clock(CLOCK_THREAD_CPUTIME_ID)};
}

std::uint64_t random_seed() noexcept {
  std::uint64_t seed = 0;
  // Before the kernel's pool is ready (early boot) this fails; a seed from the clock still spreads.
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
    seed = static_cast<std::uint64_t>(read_clock(CLOCK_REALTIME));
  return seed;
}

}  // namespace penstock::os

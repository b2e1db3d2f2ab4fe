#pragma once
// The only place that reads a clock or the kernel's randomness.

#include <cstdint>
#include <ctime>

#include "base/time.hpp"

namespace penstock::os {

// CLOCK_MONOTONIC. Thread: any. Read once per wake-up and passed down.
base::Instant now() noexcept;

// CLOCK_REALTIME in nanoseconds since 1970, for logs only: it may jump.
std::int64_t wall_clock_nanoseconds() noexcept;

// CPU time that the calling thread has used.
base::Duration thread_cpu_time() noexcept;

// 64 random bits from the kernel, to seed generators.
std::uint64_t random_seed() noexcept;

}  // namespace penstock::os

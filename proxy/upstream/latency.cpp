#include "upstream/latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace penstock::upstream {

namespace {

// Fine enough beside `decay`; and 2^31 of them, after which a sample would seem to lie ahead, are
// nearly seven years.
using Tick = std::chrono::duration<std::int64_t, std::deci>;

constexpr double decay_ticks = std::chrono::duration<double, std::deci>{Latency::decay}.count();

std::uint32_t tick_of(base::Instant instant) noexcept {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<Tick>(instant.time_since_epoch()).count());
}

float average_in(std::uint64_t word) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(word >> 32));
}

// The share of an average that is left after a while. Another thread's clock may be a little ahead.
double left_of(std::uint64_t word, base::Instant now) noexcept {
  const auto passed = static_cast<std::int32_t>(tick_of(now) - static_cast<std::uint32_t>(word));
  return std::exp(-static_cast<double>(std::max(passed, 0)) / decay_ticks);
}

}  // namespace

void Latency::sample(base::Duration measured, base::Instant now) noexcept {
  // 0 is the word of "no sample", so the shortest one is a nanosecond.
  const double nanoseconds = std::max<double>(static_cast<double>(measured.count()), 1.0);
  std::uint64_t seen = word_.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    const double left = left_of(seen, now);
    const double average = static_cast<double>(average_in(seen)) * left;
    const double result =
        nanoseconds > average ? nanoseconds : average + nanoseconds * (1.0 - left);
    next = std::uint64_t{std::bit_cast<std::uint32_t>(static_cast<float>(result))} << 32 |
           tick_of(now);
  } while (!word_.compare_exchange_weak(seen, next, std::memory_order_relaxed));
}

std::optional<double> Latency::at(base::Instant now) const noexcept {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if (word == 0) return std::nullopt;
  return static_cast<double>(average_in(word)) * left_of(word, now);
}

}  // namespace penstock::upstream

#pragma once
// What is worth a sentence, but not one a second: it may be said once in an interval.
//
// Owner    whoever would say it. Thread: the owner's.

#include <cstdint>
#include <utility>

#include "base/time.hpp"

namespace penstock::base {

class RateLimited {
 public:
  explicit constexpr RateLimited(Duration interval = std::chrono::seconds{10}) noexcept
      : interval_{interval} {}

  // True where it may be said now; then not again before the interval has passed.
  bool take(Instant now) noexcept {
    if (now < next_) return false;
    next_ = now + interval_;
    return true;
  }

  // How far `count` has grown since the last time that it was said; 0: nothing is to be said now.
  std::uint64_t take_growth(std::uint64_t count, Instant now) noexcept {
    return count == said_ || !take(now) ? 0 : count - std::exchange(said_, count);
  }

 private:
  Duration interval_;
  Instant next_{};
  std::uint64_t said_ = 0;
};

}  // namespace penstock::base

#pragma once
// An instant in four bytes, for what every connection keeps: rounded up to a millisecond, and known
// to those who ask within `reach` of it. A value.
//
// Limits   what lies farther ahead than `reach` counts as `reach` ahead. What lies farther behind
//          is mistaken for something ahead: who keeps one looks at it in time.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "base/time.hpp"

namespace penstock::base {

class Moment {
 public:
  // A little less than half of 2^32 milliseconds.
  static constexpr Duration reach = std::chrono::hours{24 * 24};

  constexpr Moment() noexcept = default;  // never
  constexpr Moment(Instant at, Instant now) noexcept {
    if (at == base::never) return;
    const Instant kept = at < now + reach ? at : now + reach;
    milliseconds_ = in_milliseconds(std::chrono::ceil<std::chrono::milliseconds>(kept));
    if (milliseconds_ == never_) ++milliseconds_;
  }

  constexpr bool is_never() const noexcept { return milliseconds_ == never_; }
  constexpr Instant near(Instant now) const noexcept {
    if (is_never()) return base::never;
    const auto from = std::chrono::floor<std::chrono::milliseconds>(now);
    const auto ahead = static_cast<std::int32_t>(milliseconds_ - in_milliseconds(from));
    return from + std::chrono::milliseconds{ahead};
  }

 private:
  using Milliseconds = std::chrono::time_point<MonotonicClock, std::chrono::milliseconds>;
  static constexpr std::uint32_t in_milliseconds(Milliseconds at) noexcept {
    return static_cast<std::uint32_t>(at.time_since_epoch().count());
  }
  static constexpr std::uint32_t never_ = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t milliseconds_ = never_;  // of the clock, modulo 2^32
};

}  // namespace penstock::base

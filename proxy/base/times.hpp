#pragma once
// Products of settings that were bounded one by one. Pure.

#include <cstdint>

#include "base/time.hpp"

namespace penstock::base {

// So many times as long, but never longer than a Duration can say: a budget of years does not wrap
// round to the past. REQUIRES: neither is negative.
constexpr Duration times(Duration duration, std::int64_t count) noexcept {
  const bool fits = count == 0 || duration <= Duration::max() / count;
  return fits ? duration * count : Duration::max();
}

}  // namespace penstock::base

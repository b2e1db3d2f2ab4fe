#pragma once
// How long a thread polls before it sleeps.
//
//   fixed      so long, every time
//   adaptive   so long, while at least one in four of its spins hit: something came before they
//              were over. Where fewer do, it sleeps at once, a thousand times, and then spins
//              again to see whether that has changed.
//
// Owner    who waits. Thread: its own.

#include <cstdint>

#include "base/time.hpp"

namespace penstock::base {

class SpinGauge {
 public:
  static constexpr Duration adaptive_length = std::chrono::microseconds{200};
  static constexpr std::uint32_t spins_judged = 32;  // together
  static constexpr std::uint32_t waits_without = 1000;

  constexpr SpinGauge() noexcept = default;  // never
  static constexpr SpinGauge fixed(Duration length) noexcept { return {length, false}; }
  static constexpr SpinGauge adaptive() noexcept { return {adaptive_length, true}; }

  // Of the next wait; 0: it sleeps at once.
  constexpr Duration length() noexcept {
    if (waits_left_ == 0) return length_;
    --waits_left_;
    return Duration{0};
  }
  // A spin is over.
  constexpr void note(bool hit) noexcept {
    if (!adapts_) return;
    hits_ += hit ? 1 : 0;
    if (++spins_ < spins_judged) return;
    if (4 * hits_ < spins_judged) waits_left_ = waits_without;
    spins_ = hits_ = 0;
  }

  constexpr bool adapts() const noexcept { return adapts_; }

 private:
  constexpr SpinGauge(Duration length, bool adapts) noexcept : length_{length}, adapts_{adapts} {}

  Duration length_{0};
  bool adapts_ = false;
  std::uint32_t spins_ = 0;  // since they were judged last, and of them
  std::uint32_t hits_ = 0;
  std::uint32_t waits_left_ = 0;  // in which it sleeps at once
};

}  // namespace penstock::base

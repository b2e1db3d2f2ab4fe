#pragma once
// How long the rounds of a forwarder's loop take: from the end of one wait to the next wait.
//
// A round is meant to take microseconds. One that takes longer than base::round_max was blocked by
// something (a call that should not wait, a page from a disk) or was not scheduled; meanwhile every
// connection of the forwarder waits. The watch of control asks, and says so.
//
// Thread   begin() and end() by the forwarder, the rest by anyone.

#include "base/counter.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"

namespace penstock::runtime {

class RoundTimes {
 public:
  void begin(base::Instant now) noexcept { began_.set(nanoseconds(now.time_since_epoch())); }
  void end(base::Instant now) noexcept {
    const base::Duration took = under_way(now);
    began_.set(0);
    busy_.add(nanoseconds(took));
    if (took <= base::round_max) return;
    last_blocked_.set(nanoseconds(took));
    blocked_.add();
  }

  base::Duration busy() const noexcept { return duration(busy_.value()); }  // since start
  std::uint64_t blocked() const noexcept { return blocked_.value(); }       // rounds
  base::Duration last_blocked() const noexcept { return duration(last_blocked_.value()); }
  // How long the present round has taken; 0 while the forwarder waits.
  base::Duration under_way(base::Instant now) const noexcept {
    const std::uint64_t began = began_.value();
    return began == 0 ? base::Duration{0} : now.time_since_epoch() - duration(began);
  }

 private:
  static std::uint64_t nanoseconds(base::Duration value) noexcept {
    return static_cast<std::uint64_t>(value.count());
  }
  static base::Duration duration(std::uint64_t value) noexcept {
    return base::Duration{static_cast<std::int64_t>(value)};
  }

  base::Counter began_;
  base::Counter busy_;
  base::Counter blocked_;
  base::Counter last_blocked_;
};

}  // namespace penstock::runtime

#pragma once
// What a forwarder answered to the pings of control: that it turns, and that it has let go of what
// it looked at before.
//
// Owner    the forwarder. Thread: give() by its own, the rest by anyone.

#include <atomic>
#include <cstdint>

#include "base/counter.hpp"
#include "base/time.hpp"

namespace penstock::runtime {

class PingAnswer {
 public:
  explicit PingAnswer(base::Instant now) noexcept { set(now); }

  void give(std::uint64_t number, base::Instant now) noexcept {
    set(now);
    number_.store(number, std::memory_order_release);
  }

  // Of the last answer; before the first, when the forwarder was made.
  base::Instant at() const noexcept {
    return base::Instant{base::Duration{static_cast<std::int64_t>(nanoseconds_.value())}};
  }
  // The last ping that was answered: between two answers a forwarder may hold a snapshot.
  std::uint64_t number() const noexcept { return number_.load(std::memory_order_acquire); }

 private:
  void set(base::Instant now) noexcept {
    nanoseconds_.set(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  }

  base::Counter nanoseconds_;
  std::atomic<std::uint64_t> number_{0};
};

}  // namespace penstock::runtime

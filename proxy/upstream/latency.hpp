#pragma once
// How quick an endpoint is: a moving average that believes bad news at once and good news slowly.
//
// A sample above the average replaces it; one below pulls it down with the time constant `decay`,
// and so does silence, so that an endpoint that was slow once is tried again. A failure counts as
// an answer that took the whole timeout.
//
// Thread   any; one 64-bit word, changed by compare-and-swap.
// Source   the peak EWMA balancer of Twitter's Finagle.

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace penstock::upstream {

class Latency {
 public:
  static constexpr base::Duration decay = std::chrono::seconds{10};

  void sample(base::Duration measured, base::Instant now) noexcept;
  // In nanoseconds; empty where there was no sample yet.
  std::optional<double> at(base::Instant now) const noexcept;

 private:
  std::atomic<std::uint64_t> word_{0};  // float nanoseconds, and the tick of the last sample
};

}  // namespace penstock::upstream

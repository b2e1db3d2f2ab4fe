#pragma once
// A histogram of durations with fixed bounds: one writer, any reader (see base/counter.hpp).
//
// The bounds run from 100 us to 1 h in steps of about three, so that a connect on loopback and a
// connection that lived for a day both fall into a bucket that says something.

#include <array>
#include <cstddef>

#include "base/counter.hpp"
#include "base/time.hpp"

namespace penstock::base {

class Histogram {
 public:
  // Upper bounds in seconds; one more bucket (+Inf) follows the last.
  static constexpr std::array<double, 16> bounds_seconds{
      0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600};

  void record(Duration value) noexcept {
    const double seconds = std::chrono::duration<double>(value).count();
    std::size_t bucket = 0;
    while (bucket < bounds_seconds.size() && seconds > bounds_seconds[bucket]) ++bucket;
    buckets_[bucket].add();
    sum_nanoseconds_.add(static_cast<std::uint64_t>(value.count()));
  }

  // Adds this histogram to running totals of a reader.
  struct Totals {
    std::array<std::uint64_t, bounds_seconds.size() + 1> buckets{};
    double sum_seconds = 0;
  };
  void add_to(Totals& totals) const noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) totals.buckets[i] += buckets_[i].value();
    totals.sum_seconds += static_cast<double>(sum_nanoseconds_.value()) * 1e-9;
  }

 private:
  std::array<Counter, bounds_seconds.size() + 1> buckets_;
  Counter sum_nanoseconds_;
};

}  // namespace penstock::base

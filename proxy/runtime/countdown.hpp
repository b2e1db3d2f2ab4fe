#pragma once
// Calls `finished` once, when as many parties as there are have reported.
//
// Thread   report() by any, once for each party; `finished` runs on that of the last.

#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>

namespace penstock::runtime {

class Countdown {
 public:
  Countdown(std::size_t parties, std::function<void()> finished)
      : left_{parties}, finished_{std::move(finished)} {}
  void report() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) finished_();
  }

 private:
  std::atomic<std::size_t> left_;
  const std::function<void()> finished_;
};

}  // namespace penstock::runtime

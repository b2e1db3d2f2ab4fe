#pragma once
// Numbers that one thread writes and any thread reads.
//
// Thread   add() and set() by the one writer; value() by anyone. A load and a store instead of a
//          locked instruction: with one writer nothing can be lost between the two.

#include <atomic>
#include <cstdint>

namespace penstock::base {

class Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace penstock::base

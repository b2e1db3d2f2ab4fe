#pragma once
// A bounded queue from one thread to one other. No lock, no allocation after construction.
//
// Thread   try_push() by the one sender, try_pop() by the one receiver, empty() by either.
// Limit    the capacity, rounded up to a power of two; a full ring refuses and keeps its content.
// Memory   an element is visible to the receiver before the new tail is (release and acquire).

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory_resource>
#include <utility>
#include <vector>

#include "base/limits.hpp"

namespace penstock::base {

template <class T>
class SpscRing {
 public:
  explicit SpscRing(std::size_t capacity,
                    std::pmr::memory_resource& memory = *std::pmr::new_delete_resource())
      : mask_{std::bit_ceil(capacity) - 1}, slots_(mask_ + 1, &memory) {}

  // False where the ring is full; `value` is then left as it was.
  [[nodiscard]] bool try_push(T&& value) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) > mask_) return false;
    slots_[tail & mask_] = std::move(value);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // False where the ring is empty.
  [[nodiscard]] bool try_pop(T& value) noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    value = std::move(slots_[head & mask_]);
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  bool empty() const noexcept {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

  std::size_t capacity() const noexcept { return mask_ + 1; }

 private:
  const std::size_t mask_;
  std::pmr::vector<T> slots_;  // never resized
  alignas(cache_line_bytes) std::atomic<std::size_t> head_{0};
  alignas(cache_line_bytes) std::atomic<std::size_t> tail_{0};
};

}  // namespace penstock::base

#pragma once
// Held buffers: where the unsent rest of a short send waits until its target is writable.
//
// Owner    a buffer belongs to the pool while idle, to one direction while held.
// Thread   the forwarder's own.
// Limit    `buffers_max`. Memory is asked for when it is first needed and kept for the
//          warm ones; none left means that a direction does not read (it has not read yet: a
//          direction asks available() before it takes bytes that it might have to hold).
// Errors   available() is false where the memory resource declines.

#include <cstddef>
#include <memory_resource>
#include <span>
#include <vector>

#include "relay/counters.hpp"

namespace penstock::relay {

class HeldBuffer {
 public:
  HeldBuffer(std::byte* memory, std::size_t capacity) noexcept
      : memory_{memory}, capacity_{capacity} {}

  // REQUIRES: it holds nothing and `bytes` fit.
  void hold(std::span<const std::byte> bytes) noexcept;
  std::span<const std::byte> rest() const noexcept { return {memory_ + begin_, end_ - begin_}; }
  void take(std::size_t bytes) noexcept;  // `bytes` of rest() are gone
  bool empty() const noexcept { return begin_ == end_; }

 private:
  friend class BufferPool;
  std::byte* memory_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class BufferPool {
 public:
  BufferPool(std::size_t buffers_max, std::size_t buffer_bytes, std::pmr::memory_resource& memory,
             Counters& counters);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  // True where the next take() will succeed.
  bool available() noexcept;
  // REQUIRES: available().
  HeldBuffer* take() noexcept;
  void give_back(HeldBuffer* buffer) noexcept;

 private:
  const std::size_t buffer_bytes_;
  std::pmr::memory_resource& memory_;
  Counters& counters_;
  std::pmr::vector<HeldBuffer> buffers_;  // never resized
  std::pmr::vector<HeldBuffer*> vacant_;  // places without memory
  std::pmr::vector<HeldBuffer*> idle_;
};

}  // namespace penstock::relay

#pragma once
// Held buffers: where the unsent rest of a short send waits until its target is writable, and from
// which the kernel sends where it does not copy.
//
// Owner    a buffer belongs to the pool while idle, to one direction while held.
// Thread   the forwarder's own.
// Limit    `buffers_max`. Memory is asked for when it is first needed and kept for the
//          warm ones; none left means that a direction does not read (it has not read yet: a
//          direction asks available() before it takes bytes that it might have to hold).
//          Each begins on a page and is whole pages long.
// Errors   available() is false where the memory resource declines.

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "relay/counters.hpp"
#include "relay/pool_index.hpp"

namespace penstock::relay {

class HeldBuffer {
 public:
  HeldBuffer(std::byte* memory, std::size_t capacity) noexcept
      : memory_{memory}, capacity_{capacity} {}

  // REQUIRES: it holds nothing and `bytes` fit.
  void hold(std::span<const std::byte> bytes) noexcept;
  // To be filled in place: the whole of it, and then how much of it was.
  std::span<std::byte> memory() noexcept { return {memory_, capacity_}; }
  void filled(std::size_t bytes) noexcept;
  std::span<const std::byte> rest() const noexcept { return {memory_ + begin_, end_ - begin_}; }
  void take(std::size_t bytes) noexcept;  // `bytes` of rest() are gone
  bool empty() const noexcept { return begin_ == end_; }

  // Of the sends without a copy that were made from it (relay::ZerocopyFlight): the number of the
  // first, how many there were, and of how many the notice has not come.
  std::uint32_t first_send = 0;
  std::uint32_t sends = 0;
  std::uint32_t unnoticed = 0;

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
  // More than half of them are free: who could do without one may take one.
  bool has_plenty() const noexcept { return 2 * (vacant_.size() + idle_.size()) > buffers_.size(); }
  // REQUIRES: available().
  HeldBuffer* take() noexcept;
  void give_back(HeldBuffer* buffer) noexcept;
  // One that was taken is found by its place.
  PoolIndex index_of(const HeldBuffer& buffer) const noexcept {
    return pool_index(&buffer - buffers_.data());
  }
  HeldBuffer& at(PoolIndex index) noexcept { return buffers_[place_of(index)]; }
  // For one from which the kernel still sends, and whose notices nobody will read: the kernel keeps
  // its pages, and others come in their place.
  void abandon(HeldBuffer* buffer) noexcept;

 private:
  const std::size_t page_bytes_;
  const std::size_t buffer_bytes_;
  std::pmr::memory_resource& memory_;
  Counters& counters_;
  std::pmr::vector<HeldBuffer> buffers_;  // never resized
  std::pmr::vector<HeldBuffer*> vacant_;  // places without memory
  std::pmr::vector<HeldBuffer*> idle_;
};

}  // namespace penstock::relay

#pragma once
// Records of one type at stable addresses, in large chunks, from a given memory resource.
//
// Owner    the slab owns the memory; a record lives from create() to destroy().
// Thread   the forwarder's own.
// Memory   a place that was never needed is never touched. A chunk without records goes back to the
//          resource, as long as the others have room for half a chunk: so a burst is paid for while
//          it lasts, and who comes and goes at the edge of a chunk does not pay for it each time.
// Limit    none of its own: admission bounds the number of connections.
// Errors   create() throws what the resource or the constructor throws; nothing is then lost.

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace penstock::base {

template <class T>
class Slab {
 public:
  // `chunk_bytes`: a power of two. Thirty-two pages are enough for an arena to give them back.
  explicit Slab(std::pmr::memory_resource& memory, std::size_t chunk_bytes = 128 * 1024)
      : memory_{memory}, chunk_bytes_{chunk_bytes} {
    PENSTOCK_ASSERT((chunk_bytes & (chunk_bytes - 1)) == 0 && records_per_chunk() > 0);
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    PENSTOCK_ASSERT(live_ == 0);
    while (!with_room_.empty()) release(with_room_.front());
  }

  template <class... Args>
  T* create(Args&&... args) {
    if (with_room_.empty()) grow();
    Chunk& chunk = with_room_.front();
    Slot* const slot = take_place(chunk);
    try {
      return ::new (static_cast<void*>(slot->storage)) T(std::forward<Args>(args)...);
    } catch (...) {
      put_back(chunk, slot);
      throw;
    }
  }

  void destroy(T* record) noexcept {
    PENSTOCK_ASSERT(live_ > 0);
    record->~T();
    // Chunks begin at multiples of their size.
    auto* const byte = reinterpret_cast<std::byte*>(record);
    const std::size_t behind = reinterpret_cast<std::uintptr_t>(record) & (chunk_bytes_ - 1);
    put_back(*reinterpret_cast<Chunk*>(byte - behind), reinterpret_cast<Slot*>(record));
  }

  std::size_t live() const noexcept { return live_; }
  std::size_t records_per_chunk() const noexcept {
    return (allocated_bytes() - sizeof(Chunk)) / sizeof(Slot);
  }

 private:
  union Slot {
    Slot* next;
    alignas(T) std::byte storage[sizeof(T)];
  };
  // What follows in memory are the slots.
  struct alignas(Slot) Chunk : boost::intrusive::list_base_hook<> {
    Slot* vacant = nullptr;     // used before
    std::uint32_t touched = 0;  // slots that were ever used
    std::uint32_t live = 0;
    Slot* slots() noexcept { return reinterpret_cast<Slot*>(this + 1); }
  };

  // Where chunks stand side by side there is room between them for the resource's own books.
  std::size_t allocated_bytes() const noexcept { return chunk_bytes_ - cache_line_bytes; }

  void grow() {
    void* const memory = memory_.allocate(allocated_bytes(), chunk_bytes_);
    with_room_.push_back(*::new (memory) Chunk);
    capacity_ += records_per_chunk();
  }
  void release(Chunk& chunk) noexcept {
    with_room_.erase(with_room_.iterator_to(chunk));
    capacity_ -= records_per_chunk();
    chunk.~Chunk();
    memory_.deallocate(&chunk, allocated_bytes(), chunk_bytes_);
  }
  // Those used before come first: their memory is there, and warm. Else the lowest address:
  // neighbours in time are neighbours in memory.
  Slot* take_place(Chunk& chunk) noexcept {
    Slot* slot = chunk.vacant;
    if (slot != nullptr)
      chunk.vacant = slot->next;
    else
      slot = chunk.slots() + chunk.touched++;
    ++live_;
    if (++chunk.live == records_per_chunk()) with_room_.pop_front();
    return slot;
  }
  void put_back(Chunk& chunk, Slot* slot) noexcept {
    if (chunk.live == records_per_chunk()) with_room_.push_back(chunk);
    slot->next = chunk.vacant;
    chunk.vacant = slot;
    --chunk.live;
    --live_;
    if (chunk.live == 0 && capacity_ - live_ >= records_per_chunk() + half_a_chunk())
      release(chunk);
  }
  std::size_t half_a_chunk() const noexcept { return (records_per_chunk() + 1) / 2; }

  std::pmr::memory_resource& memory_;
  const std::size_t chunk_bytes_;
  boost::intrusive::list<Chunk, boost::intrusive::constant_time_size<false>> with_room_;
  std::size_t capacity_ = 0;  // of all chunks
  std::size_t live_ = 0;
};

}  // namespace penstock::base

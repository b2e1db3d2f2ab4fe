#pragma once
// Records of one type at stable addresses, in large chunks, from a given memory resource.
//
// Owner    the slab owns the memory; a record lives from create() to destroy().
// Thread   the forwarder's own.
// Limit    none of its own: admission bounds the number of connections. Memory is kept until the
//          slab is destroyed, so that the peak is paid once.
// Errors   create() throws what the resource or the constructor throws; nothing is then lost.

#include <cstddef>
#include <memory_resource>
#include <new>
#include <utility>

#include "base/assert.hpp"

namespace penstock::base {

template <class T>
class Slab {
 public:
  explicit Slab(std::pmr::memory_resource& memory, std::size_t records_per_chunk = 256)
      : memory_{memory}, records_per_chunk_{records_per_chunk} {}
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    PENSTOCK_ASSERT(live_ == 0);
    while (chunks_ != nullptr) {
      Chunk* const chunk = std::exchange(chunks_, chunks_->next);
      memory_.deallocate(chunk, chunk_bytes(), alignof(Chunk));
    }
  }

  template <class... Args>
  T* create(Args&&... args) {
    if (free_ == nullptr) grow();
    Slot* slot = free_;
    free_ = slot->next;
    ++live_;
    try {
      return ::new (static_cast<void*>(slot->storage)) T(std::forward<Args>(args)...);
    } catch (...) {
      put_back(slot);
      throw;
    }
  }

  void destroy(T* record) noexcept {
    PENSTOCK_ASSERT(live_ > 0);
    record->~T();
    put_back(reinterpret_cast<Slot*>(record));
  }

  std::size_t live() const noexcept { return live_; }

 private:
  union Slot {
    Slot* next;
    alignas(T) std::byte storage[sizeof(T)];
  };
  void put_back(Slot* slot) noexcept {
    slot->next = free_;
    free_ = slot;
    --live_;
  }
  // What follows in memory are the slots.
  struct alignas(Slot) Chunk {
    Chunk* next;
    Slot* slots() noexcept { return reinterpret_cast<Slot*>(this + 1); }
  };
  std::size_t chunk_bytes() const noexcept {
    return sizeof(Chunk) + records_per_chunk_ * sizeof(Slot);
  }
  void grow() {
    chunks_ = ::new (memory_.allocate(chunk_bytes(), alignof(Chunk))) Chunk{chunks_};
    Slot* const slots = chunks_->slots();
    // Linked so that the lowest address is handed out first: neighbours in time are neighbours in
    // memory.
    for (std::size_t i = records_per_chunk_; i-- > 0;) {
      slots[i].next = free_;
      free_ = &slots[i];
    }
  }

  std::pmr::memory_resource& memory_;
  const std::size_t records_per_chunk_;
  Chunk* chunks_ = nullptr;
  Slot* free_ = nullptr;
  std::size_t live_ = 0;
};

}  // namespace penstock::base

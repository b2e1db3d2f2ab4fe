#pragma once
// The memory of one forwarder, from the node that is planned for it: the forwarder itself, its
// rings, its sessions, its buffers.
//
// It is one range of addresses, and this object stands in it, behind a closed page:
//
//     closed page | NodeArena | heap: opened 1 MiB at a time ... | reserved
//
// Owner    the Server. Everything goes at once with the arena, in one call.
// Thread   allocation by one thread at a time; the reports by any.
// Limit    4 GiB of addresses, some eight million connections; under ulimit -v a 32nd of that. Only
//          touched pages are memory. Blocks of 16 pages and more are given back to the kernel when
//          they are freed.
// Policy   ThreadPlan::memory. `local` means that the node is preferred: where it is full, pages
//          come from the next one. `bound` means that they do not. docs/decisions/0005.
// Errors   std::bad_alloc where the kernel has no memory. A policy that is refused is no error: the
//          view says so, and the first touch of a page decides, as without any.

#include <memory>
#include <memory_resource>
#include <new>
#include <utility>

#include "base/counter.hpp"
#include "os/numa_memory.hpp"
#include "runtime/views.hpp"

namespace penstock::runtime {

class NodeArena final : public std::pmr::memory_resource {
 public:
  struct Release {
    void operator()(NodeArena* arena) const noexcept;
  };
  using Owner = std::unique_ptr<NodeArena, Release>;
  static Owner create(const ThreadPlan& plan);  // its memory and memory_node

  NodeArena(const NodeArena&) = delete;
  NodeArena& operator=(const NodeArena&) = delete;

  // Without the pages.
  ArenaView view() const noexcept;
  // Where the pages are that were touched. Asks the kernel; takes milliseconds for a large arena.
  std::optional<os::PagesByNode> pages() const;

 private:
  class Heap;
  NodeArena(os::PageRange range, const ThreadPlan& plan, bool is_placed);
  ~NodeArena() override = default;

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }
  void grow(std::size_t bytes);

  const os::PageRange range_;  // without the closed page
  const int node_;
  const MemoryPolicy policy_;
  const bool is_placed_;
  base::Counter opened_;
  Heap* heap_ = nullptr;
};

// An object in an arena, whose memory goes with the arena.
struct Destroy {
  template <class T>
  void operator()(T* object) const noexcept {
    object->~T();
  }
};
template <class T>
using InArena = std::unique_ptr<T, Destroy>;

template <class T, class... Args>
InArena<T> make_in(NodeArena& arena, Args&&... args) {
  void* const place = arena.allocate(sizeof(T), alignof(T));
  return InArena<T>{::new (place) T(std::forward<Args>(args)...)};
}

}  // namespace penstock::runtime

#include "runtime/node_arena.hpp"

#include <algorithm>
#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <boost/interprocess/sync/mutex_family.hpp>

#include "base/limits.hpp"
#include "os/process.hpp"

namespace penstock::runtime {

namespace {

constexpr std::size_t addresses_bytes_max = std::size_t{4} << 30;
constexpr std::size_t share_of_addresses = 32;
constexpr std::size_t step_bytes = std::size_t{1} << 20;
constexpr std::size_t dropped_from_pages = 16;

std::size_t rounded_up(std::size_t bytes, std::size_t step) noexcept {
  return (bytes + step - 1) / step * step;
}

os::PagePolicy page_policy(MemoryPolicy policy) noexcept {
  switch (policy) {
    case MemoryPolicy::system: return os::PagePolicy::first_touch;
    case MemoryPolicy::local: return os::PagePolicy::preferred;
    case MemoryPolicy::bound: return os::PagePolicy::bound;
  }
  return os::PagePolicy::first_touch;
}

std::byte* heap_place(std::byte* begin) noexcept {
  return begin + rounded_up(sizeof(NodeArena), base::cache_line_bytes);
}

}  // namespace

// Boost's algorithm for memory that is shared between processes keeps its books in that memory
// itself, touches only what it hands out and the heads of free blocks, and can grow.
class NodeArena::Heap
    : public boost::interprocess::rbtree_best_fit<boost::interprocess::null_mutex_family> {
 public:
  explicit Heap(std::size_t bytes) : rbtree_best_fit{bytes, 0} {}
};

NodeArena::Owner NodeArena::create(const ThreadPlan& plan) {
  const std::size_t page = os::page_bytes();
  const std::size_t bytes =
      std::min<std::size_t>(addresses_bytes_max, os::address_bytes_max() / share_of_addresses);
  const os::PageRange all = os::reserve_addresses(bytes / page * page);
  if (all.begin == nullptr) throw std::bad_alloc{};
  const bool is_placed = os::place_pages(all, page_policy(plan.memory), plan.memory_node);
  const os::PageRange range{.begin = all.begin + page, .bytes = all.bytes - page};
  if (bytes < step_bytes + page || !os::open_pages({.begin = range.begin, .bytes = step_bytes})) {
    os::release_addresses(all);
    throw std::bad_alloc{};
  }
  return Owner{::new (static_cast<void*>(range.begin)) NodeArena{range, plan, is_placed}};
}

NodeArena::NodeArena(os::PageRange range, const ThreadPlan& plan, bool is_placed)
    : range_{range}, node_{plan.memory_node}, policy_{plan.memory}, is_placed_{is_placed} {
  opened_.set(step_bytes);
  std::byte* const place = heap_place(range.begin);
  const auto left = static_cast<std::size_t>(range.begin + step_bytes - place);
  heap_ = ::new (static_cast<void*>(place)) Heap{left};
}

void NodeArena::Release::operator()(NodeArena* arena) const noexcept {
  const os::PageRange range = arena->range_;
  arena->~NodeArena();
  const std::size_t page = os::page_bytes();
  os::release_addresses({.begin = range.begin - page, .bytes = range.bytes + page});
}

void NodeArena::grow(std::size_t bytes) {
  const std::size_t opened = opened_.value();
  const std::size_t more = rounded_up(bytes, step_bytes);
  if (more > range_.bytes - opened ||
      !os::open_pages({.begin = range_.begin + opened, .bytes = more}))
    throw std::bad_alloc{};
  opened_.set(opened + more);
  heap_->grow(more);
}

void* NodeArena::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (bytes > range_.bytes || alignment > range_.bytes) throw std::bad_alloc{};
  // Besides the block: its head, and what is lost until the next aligned address. Boost 1.92 wants
  // twice the room of an aligned block; it gives back what it does not use.
  const std::size_t room = bytes + 2 * alignment + base::cache_line_bytes;
  for (int grown = 0; grown <= 2; ++grown) {
    if (grown > 0) grow(room);
    if (void* block = heap_->allocate_aligned(bytes, alignment)) return block;
  }
  throw std::bad_alloc{};
}

void NodeArena::do_deallocate(void* block, std::size_t bytes, std::size_t) {
  const std::size_t page = os::page_bytes();
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  const std::size_t before = rounded_up(address, page) - address;
  if (bytes >= before + dropped_from_pages * page)
    os::drop_pages({.begin = static_cast<std::byte*>(block) + before,
                    .bytes = (bytes - before) / page * page});
  heap_->deallocate(block);
}

ArenaView NodeArena::view() const noexcept {
  return {
      .node = node_, .policy = policy_, .is_placed = is_placed_, .opened_bytes = opened_.value()};
}

std::optional<os::PagesByNode> NodeArena::pages() const {
  return os::pages_by_node({.begin = range_.begin, .bytes = opened_.value()});
}

}  // namespace penstock::runtime

#pragma once
// Pages of memory, and the NUMA node from which they come.
//
// A range of addresses is reserved first: it costs nothing, and nobody can touch it. Then parts of
// it are opened; a page comes when it is first touched, zeroed. All sizes are multiples of
// page_bytes() (os/process.hpp).
//
// Owner    who reserved the range. Thread: any, one at a time.
// Source   mmap(2), mbind(2), move_pages(2), and proc(5) on numa_maps.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace penstock::os {

// first_touch: from the node of the thread that touches a page. preferred: from one node, while
// that has some. bound: from one node or not at all.
enum class PagePolicy : std::uint8_t { first_touch, preferred, bound };

struct PageRange {
  std::byte* begin = nullptr;
  std::size_t bytes = 0;
};

// Empty where there are no addresses left (ulimit -v).
PageRange reserve_addresses(std::size_t bytes) noexcept;
// Gives the addresses back, and every page in them.
void release_addresses(PageRange range) noexcept;

// Pages of 4 KiB each, never huge ones: a small proxy must not pay for what it does not use. False
// where the kernel does not promise the memory (vm.overcommit_memory=2, a limit).
bool open_pages(PageRange range) noexcept;
// Gives the pages back; they are zero when they are touched again.
void drop_pages(PageRange range) noexcept;

// Pages to come obey the policy, and those that are there move (MPOL_MF_MOVE). False where the
// kernel refuses, as a container without CAP_SYS_NICE does.
bool place_pages(PageRange range, PagePolicy policy, int node) noexcept;

// By node, how many pages of an opened range were touched. Asks move_pages, or where that is
// refused /proc/self/numa_maps, which sees whole mappings: the range has to be one, and the page
// before it closed. Empty where both are refused.
using PagesByNode = std::map<int, std::size_t>;
std::optional<PagesByNode> pages_by_node(PageRange range);

// Pure: what numa_maps says of the mappings that begin within [begin, end).
PagesByNode parse_numa_maps(std::string_view text, std::uintptr_t begin, std::uintptr_t end);

}  // namespace penstock::os

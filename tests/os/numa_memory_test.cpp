#include "os/numa_memory.hpp"

#include <cstdint>

#include "catch.hpp"
#include "os/process.hpp"
#include "os/refusal.hpp"
#include "os/topology.hpp"

namespace penstock::os {

namespace {

constexpr std::size_t pages = 32;

// Opened, between a closed page and another.
struct Opened {
  Opened() {
    REQUIRE(all.begin != nullptr);
    REQUIRE(open_pages(part));
  }
  ~Opened() { release_addresses(all); }
  void touch(std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) part.begin[i * page_bytes()] = std::byte{1};
  }
  PageRange all = reserve_addresses((pages + 2) * page_bytes());
  PageRange part{.begin = all.begin + page_bytes(), .bytes = pages * page_bytes()};
};

std::size_t sum_of(const PagesByNode& counts) {
  std::size_t sum = 0;
  for (const auto& [node, count] : counts) sum += count;
  return sum;
}

}  // namespace

TEST_CASE("a page is on no node until it is touched", "[os]") {
  const Opened memory;
  REQUIRE(pages_by_node(memory.part) == PagesByNode{});
  memory.touch(5);
  CHECK(sum_of(*pages_by_node(memory.part)) == 5);
}

TEST_CASE("a placed page is on its node, and may be of any policy", "[os]") {
  const int node = numa_topology().nodes.back().id;
  for (const PagePolicy policy : {PagePolicy::preferred, PagePolicy::bound}) {
    const Opened memory;
    REQUIRE(place_pages(memory.all, policy, node));
    memory.touch(pages);
    CHECK(*pages_by_node(memory.part) == PagesByNode{{node, pages}});
  }
}

TEST_CASE("a policy for a node that is not there is refused", "[os]") {
  const Opened memory;
  CHECK_FALSE(place_pages(memory.all, PagePolicy::bound, 1022));
  CHECK(place_pages(memory.all, PagePolicy::first_touch, 1022));  // nothing is asked for
}

TEST_CASE("dropped pages are gone, and zero when they come back", "[os]") {
  const Opened memory;
  memory.touch(pages);
  drop_pages({.begin = memory.part.begin, .bytes = 4 * page_bytes()});
  CHECK(sum_of(*pages_by_node(memory.part)) == pages - 4);
  CHECK(memory.part.begin[0] == std::byte{0});
}

TEST_CASE("where move_pages is refused numa_maps says the same", "[os]") {
  CHECK(testing::holds_without_memory_policies([] {
    const Opened memory;
    memory.touch(7);
    if (place_pages(memory.all, PagePolicy::preferred, 0)) return false;
    const auto counts = pages_by_node(memory.part);
    return counts && sum_of(*counts) == 7;
  }));
}

TEST_CASE("of numa_maps only the mappings within count", "[os]") {
  const std::string_view text =
      "7f0000000000 default anon=9 dirty=9 N0=9 kernelpagesize_kB=4\n"
      "7f0000001000 prefer:1 anon=12 dirty=12 N0=2 N1=10 kernelpagesize_kB=4\n"
      "7f0000005000 prefer:1\n"
      "7f0000006000 default file=/usr/lib/libN1=5.so mapped=3 N1=3 kernelpagesize_kB=4\n"
      "not a line of it\n"
      "7f0000009000 default anon=1 N1=1";
  CHECK(parse_numa_maps(text, 0x7f0000001000, 0x7f0000009000) == PagesByNode{{0, 2}, {1, 13}});
  CHECK(parse_numa_maps("", 0, UINTPTR_MAX).empty());
}

}  // namespace penstock::os

#include "runtime/node_arena.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "base/slab.hpp"
#include "catch.hpp"
#include "os/process.hpp"
#include "os/refusal.hpp"
#include "os/topology.hpp"

using namespace penstock;
using runtime::MemoryPolicy;
using runtime::NodeArena;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

NodeArena::Owner arena_of(MemoryPolicy policy, int node = 0) {
  return NodeArena::create({.memory = policy, .memory_node = node});
}

std::size_t touched(const NodeArena& arena) {
  const auto pages = arena.pages();
  std::size_t sum = 0;
  for (const auto& [node, count] : *pages) sum += count;
  return sum;
}

struct Block {
  std::byte* begin;
  std::size_t bytes;
  std::size_t alignment;
  std::byte mark;
};

bool is_whole(const Block& block) {
  return std::all_of(block.begin, block.begin + block.bytes,
                     [&](std::byte byte) { return byte == block.mark; });
}

}  // namespace

TEST_CASE("blocks of an arena are aligned, apart, and keep what is in them", "[runtime]") {
  const auto arena = arena_of(MemoryPolicy::local);
  std::mt19937 random{7};
  std::vector<Block> blocks;
  for (int step = 0; step < 4000; ++step) {
    if (blocks.size() > 200 || (!blocks.empty() && random() % 3 == 0)) {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      REQUIRE(is_whole(blocks.back()));
      arena->deallocate(blocks.back().begin, blocks.back().bytes, blocks.back().alignment);
      blocks.pop_back();
      continue;
    }
    Block block{.begin = nullptr,
                .bytes = 1 + random() % (step % 50 == 0 ? 300'000 : 3'000),
                .alignment = std::size_t{1} << random() % 13,
                .mark = static_cast<std::byte>(random())};
    block.begin = static_cast<std::byte*>(arena->allocate(block.bytes, block.alignment));
    REQUIRE(reinterpret_cast<std::uintptr_t>(block.begin) % block.alignment == 0);
    std::memset(block.begin, static_cast<int>(block.mark), block.bytes);
    blocks.push_back(block);
  }
  for (const Block& block : blocks) REQUIRE(is_whole(block));
}

TEST_CASE("ten thousand records that come and go give their pages back to the kernel",
          "[runtime]") {
  struct Record {
    std::byte bytes[300];
  };
  const auto arena = arena_of(MemoryPolicy::local);
  const std::size_t before = touched(*arena);
  base::Slab<Record> slab{*arena};
  std::vector<Record*> records;
  for (int i = 0; i < 10'000; ++i) {
    records.push_back(slab.create());
    std::memset(records.back()->bytes, 1, sizeof(Record));
  }
  const std::size_t record_pages = 10'000 * sizeof(Record) / os::page_bytes();
  CHECK(touched(*arena) >= before + record_pages);
  CHECK(touched(*arena) <= before + record_pages + record_pages / 20);
  std::shuffle(records.begin(), records.end(), std::mt19937{3});
  for (Record* record : records) slab.destroy(record);
  CHECK(touched(*arena) <= before + record_pages / 10);
}

TEST_CASE("an arena grows for a block that is larger than a step", "[runtime]") {
  const auto arena = arena_of(MemoryPolicy::local);
  auto* const block = static_cast<std::byte*>(arena->allocate(10 * mebibyte, 64));
  std::memset(block, 1, 10 * mebibyte);
  CHECK(arena->view().opened_bytes >= 10 * mebibyte);
  CHECK(arena->view().opened_bytes < 25 * mebibyte);  // Boost 1.92 asks for twice the room
}

TEST_CASE("an arena that is used up refuses, and serves on", "[runtime]") {
  const auto arena = arena_of(MemoryPolicy::local);
  CHECK_THROWS_AS(arena->allocate(std::size_t{5} << 30, 64), std::bad_alloc);
  volatile std::size_t unthinkable = SIZE_MAX - 100;  // so that no compiler sees it
  CHECK_THROWS_AS(arena->allocate(unthinkable, 64), std::bad_alloc);
  CHECK_NOTHROW(arena->allocate(100, 64));
}

TEST_CASE("only what is touched is memory, and a large block goes back to the kernel",
          "[runtime]") {
  const auto arena = arena_of(MemoryPolicy::local);
  const std::size_t before = touched(*arena);
  CHECK(before <= 3);
  void* const block = arena->allocate(mebibyte, 4096);
  CHECK(touched(*arena) <= before + 3);  // the heads of the block and of what is free behind it
  std::memset(block, 1, mebibyte);
  CHECK(touched(*arena) >= mebibyte / os::page_bytes());
  arena->deallocate(block, mebibyte, 4096);
  CHECK(touched(*arena) <= before + 4);
}

TEST_CASE("every page of an arena is on its node, its own head among them", "[runtime]") {
  const int node = os::numa_topology().nodes.back().id;
  for (const MemoryPolicy policy : {MemoryPolicy::local, MemoryPolicy::bound}) {
    const auto arena = arena_of(policy, node);
    std::memset(arena->allocate(mebibyte, 64), 1, mebibyte);
    CHECK(arena->view().is_placed);
    CHECK(arena->view().node == node);
    REQUIRE(arena->pages()->size() == 1);
    CHECK(arena->pages()->at(node) >= mebibyte / os::page_bytes());
  }
}

TEST_CASE("an arena that the kernel does not place works all the same, and says so", "[runtime]") {
  CHECK_FALSE(arena_of(MemoryPolicy::bound, 1022)->view().is_placed);
  CHECK(arena_of(MemoryPolicy::system)->view().is_placed);
  CHECK(testing::holds_without_memory_policies([] {
    const auto arena = arena_of(MemoryPolicy::local);
    std::memset(arena->allocate(mebibyte, 64), 1, mebibyte);
    return !arena->view().is_placed && touched(*arena) >= mebibyte / os::page_bytes();
  }));
}

TEST_CASE("what lives in an arena is destroyed before its memory goes", "[runtime]") {
  int alive = 0;
  struct Guest {
    explicit Guest(int& count) : alive{count} { ++alive; }
    ~Guest() { --alive; }
    int& alive;
    std::array<char, 5000> body{};
  };
  const auto arena = arena_of(MemoryPolicy::local);
  {
    const auto guest = runtime::make_in<Guest>(*arena, alive);
    CHECK(alive == 1);
    CHECK(touched(*arena) >= 2);
  }
  CHECK(alive == 0);
}

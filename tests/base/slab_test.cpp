#include "base/slab.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace penstock::base {

namespace {

struct alignas(64) Record {
  explicit Record(std::uint64_t number) : value{number} {
    if (number == refused) throw std::runtime_error{"refused"};
    ++alive;
  }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record() { --alive; }
  static constexpr std::uint64_t refused = ~std::uint64_t{0};
  static inline int alive = 0;
  std::uint64_t value;
};

constexpr std::size_t chunk_bytes = 1024;

// Counts, and refuses when told so.
class Memory : public std::pmr::memory_resource {
 public:
  std::size_t chunks = 0;  // now
  std::size_t asked = 0;   // for one, ever
  bool is_exhausted = false;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (is_exhausted) throw std::bad_alloc{};
    ++chunks;
    ++asked;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
    --chunks;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

TEST_CASE("records of a slab keep their place and content while others come and go", "[base]") {
  Memory memory;
  {
    Slab<Record> slab{memory, chunk_bytes};
    std::map<Record*, std::uint64_t> live;
    std::mt19937 random{11};
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      if (live.empty() || random() % 100 < 52) {
        Record* record = slab.create(i);
        REQUIRE(live.emplace(record, i).second);  // no two live records share a place
        REQUIRE(reinterpret_cast<std::uintptr_t>(record) % alignof(Record) == 0);
      } else {
        auto victim = live.begin();
        std::advance(
            victim, static_cast<std::ptrdiff_t>(random() % std::min<std::size_t>(live.size(), 50)));
        REQUIRE(victim->first->value == victim->second);
        slab.destroy(victim->first);
        live.erase(victim);
      }
      REQUIRE(slab.live() == live.size());
      REQUIRE(Record::alive == static_cast<int>(live.size()));
    }
    for (const auto& [record, value] : live) {
      REQUIRE(record->value == value);
      slab.destroy(record);
    }
    CHECK(memory.chunks > 0);
  }
  CHECK(Record::alive == 0);
  CHECK(memory.chunks == 0);
}

TEST_CASE("a slab gives the chunks of a burst back", "[base]") {
  Memory memory;
  Slab<Record> slab{memory, chunk_bytes};
  for (int round = 0; round < 3; ++round) {
    std::vector<Record*> records;
    for (std::uint64_t i = 0; i < 8 * slab.records_per_chunk(); ++i)
      records.push_back(slab.create(i));
    CHECK(memory.chunks == 8);
    std::shuffle(records.begin(), records.end(), std::mt19937{7});
    for (Record* record : records) slab.destroy(record);
    CHECK(memory.chunks == 1);
  }
}

TEST_CASE("records that come and go at the edge of a chunk cost a slab no memory", "[base]") {
  Memory memory;
  Slab<Record> slab{memory, chunk_bytes};
  std::vector<Record*> records;
  for (std::uint64_t i = 0; i < slab.records_per_chunk(); ++i) records.push_back(slab.create(i));
  Record* beyond = slab.create(1U);
  const std::size_t asked = memory.asked;
  for (int round = 0; round < 10; ++round) {
    slab.destroy(std::exchange(records.back(), nullptr));
    slab.destroy(beyond);
    records.back() = slab.create(2U);
    beyond = slab.create(3U);
  }
  CHECK(memory.asked == asked);
  records.push_back(beyond);
  for (Record* record : records) slab.destroy(record);
}

TEST_CASE("a slab hands out neighbours in memory one after the other", "[base]") {
  Memory memory;
  Slab<Record> slab{memory, chunk_bytes};
  Record* first = slab.create(1U);
  Record* second = slab.create(2U);
  CHECK(second == first + 1);
  slab.destroy(first);
  slab.destroy(second);
}

TEST_CASE("a slab without memory throws and can go on later", "[base]") {
  Memory memory;
  Slab<Record> slab{memory, chunk_bytes};
  std::vector<Record*> records;
  for (std::uint64_t i = 0; i < slab.records_per_chunk(); ++i) records.push_back(slab.create(i));
  memory.is_exhausted = true;
  CHECK_THROWS_AS(slab.create(2U), std::bad_alloc);
  CHECK(slab.live() == records.size());
  memory.is_exhausted = false;
  records.push_back(slab.create(2U));
  CHECK(records.front()->value == 0);
  for (Record* record : records) slab.destroy(record);
}

TEST_CASE("a constructor that throws costs the slab no record", "[base]") {
  Memory memory;
  Slab<Record> slab{memory, chunk_bytes};
  CHECK_THROWS_AS(slab.create(Record::refused), std::runtime_error);
  CHECK(slab.live() == 0);
  Record* record = slab.create(1U);
  CHECK(memory.chunks == 1);  // the place was given back
  slab.destroy(record);
}

}  // namespace penstock::base

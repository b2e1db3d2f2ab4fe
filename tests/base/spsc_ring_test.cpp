#include "base/spsc_ring.hpp"

#include <cstdint>
#include <memory>
#include <thread>

#include "catch.hpp"

namespace penstock::base {

TEST_CASE("a ring gives back what it took, in order, and says when it is full or empty", "[base]") {
  SpscRing<int> ring{5};  // rounded up
  REQUIRE(ring.capacity() == 8);
  CHECK(ring.empty());
  for (int round = 0; round < 5; ++round) {  // around the end of the array
    for (int i = 0; i < 8; ++i) REQUIRE(ring.try_push(round * 10 + i));
    CHECK_FALSE(ring.try_push(99));
    CHECK_FALSE(ring.empty());
    int value = -1;
    for (int i = 0; i < 8; ++i) {
      REQUIRE(ring.try_pop(value));
      CHECK(value == round * 10 + i);
    }
    CHECK_FALSE(ring.try_pop(value));
    CHECK(ring.empty());
  }
}

TEST_CASE("a full ring leaves the refused value to its sender", "[base]") {
  SpscRing<std::unique_ptr<int>> ring{1};
  REQUIRE(ring.try_push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  CHECK_FALSE(ring.try_push(std::move(second)));
  REQUIRE(second != nullptr);
  CHECK(*second == 2);
  std::unique_ptr<int> out;
  REQUIRE(ring.try_pop(out));
  CHECK(*out == 1);
}

TEST_CASE("two threads pass a million values through a small ring without loss or reorder",
          "[base]") {
  // Two words: a value that became visible half-written would show.
  struct Message {
    std::uint64_t number = 0;
    std::uint64_t inverse = ~std::uint64_t{0};
  };
  constexpr std::uint64_t count = 1'000'000;
  SpscRing<Message> ring{64};
  std::thread sender{[&] {
    for (std::uint64_t i = 0; i < count; ++i)
      while (!ring.try_push({.number = i, .inverse = ~i})) std::this_thread::yield();
  }};
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Message message;
    while (!ring.try_pop(message)) std::this_thread::yield();
    if (message.number != i || message.inverse != ~i) ++wrong;
  }
  sender.join();
  CHECK(wrong == 0);
  CHECK(ring.empty());
}

}  // namespace penstock::base

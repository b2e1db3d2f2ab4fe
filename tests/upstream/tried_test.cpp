#include "upstream/tried.hpp"

#include "upstream/fixture.hpp"

using namespace penstock;
using namespace penstock::testing;
using upstream::Tried;

TEST_CASE("each endpoint has one turn in a round", "[upstream]") {
  const Fixture fixture{web(upstream::Balance::round_robin, many(3))};
  Tried tried;
  REQUIRE(tried.is_empty());
  tried.add(fixture.live(2));
  tried.add(fixture.live(0));
  REQUIRE(tried.has(fixture.live(2)));
  REQUIRE_FALSE(tried.has(fixture.live(1)));
  tried.start_round();
  REQUIRE_FALSE(tried.has(fixture.live(2)));
  tried.add(fixture.live(0));
  REQUIRE(tried.has(fixture.live(0)));
  // Each has one place, in the order of the first attempts.
  REQUIRE(tried.count() == 2);
  REQUIRE(tried.place_of(fixture.live(2)) == 0);
  REQUIRE(tried.place_of(fixture.live(0)) == 1);
  REQUIRE(tried.place_of(fixture.live(1)) == tried.count());
}

TEST_CASE("a turn without an attempt is a turn, and no failure", "[upstream]") {
  const Fixture fixture{web(upstream::Balance::round_robin, many(2))};
  Tried tried;
  tried.add_without_attempt(fixture.live(0));
  REQUIRE(tried.has(fixture.live(0)));
  REQUIRE_FALSE(tried.failed());
  tried.start_round();
  REQUIRE_FALSE(tried.has(fixture.live(0)));
  tried.add(fixture.live(0));
  REQUIRE(tried.failed());
  REQUIRE(tried.count() == 1);
}

TEST_CASE(
    "turns without an attempt leave room for every attempt, and who finds no room counts "
    "as tried",
    "[upstream]") {
  const Fixture fixture{web(upstream::Balance::round_robin, many(40))};
  Tried tried;
  for (std::size_t i = 0; i < 20; ++i) {
    REQUIRE(tried.has_room_without_attempt() == (i < base::connect_attempts_max));
    tried.add_without_attempt(fixture.live(i));
  }
  REQUIRE(tried.count() == base::connect_attempts_max);
  for (std::size_t i = 20; i < 40; ++i) {
    REQUIRE(tried.has(fixture.live(i)) == (i >= 20 + base::connect_attempts_max));
    tried.add(fixture.live(i));
    REQUIRE(tried.has(fixture.live(i)));
  }
  REQUIRE(tried.count() == Tried::endpoints_max);
}

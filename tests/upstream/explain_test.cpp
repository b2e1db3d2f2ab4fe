#include "upstream/explain.hpp"

#include <map>

#include "upstream/fixture.hpp"
#include "upstream/hash.hpp"

using namespace penstock;
using namespace penstock::testing;
using namespace std::chrono_literals;
using upstream::Balance;
using upstream::explain;
using upstream::Health;
using upstream::Pick;

namespace {

Balance any_balance() {
  return GENERATE(Balance::round_robin, Balance::least_connections, Balance::random_two,
                  Balance::source_hash, Balance::maglev, Balance::first, Balance::peak_ewma);
}

std::string next(const Fixture& fixture, std::optional<std::uint64_t> key = {}) {
  const auto explanation = explain(fixture.upstream, key, fixture.now);
  switch (explanation.next.outcome) {
    case Pick::Outcome::picked:
      return fixture.cluster().endpoint(explanation.next.index).live->identity;
    case Pick::Outcome::full: return "full";
    case Pick::Outcome::nobody: break;
  }
  return "nobody";
}

}  // namespace

TEST_CASE("what explain says is what comes next", "[upstream]") {
  Fixture fixture{any_balance(), {5, 3, 2}};
  for (std::uint64_t i = 0; i < 30; ++i) {
    const std::uint64_t key = upstream::mixed(i);
    const std::string said = next(fixture, key);
    REQUIRE(fixture.visit(key) == said);
  }
}

TEST_CASE("the shares that explain tells are those of the picks", "[upstream]") {
  Fixture fixture{any_balance(), {5, 3, 2}};
  fixture.live(0).latency.sample(1ms, fixture.now);
  fixture.live(1).latency.sample(3ms, fixture.now);
  fixture.live(2).latency.sample(1ms, fixture.now);
  const auto shares = explain(fixture.upstream, {}, fixture.now).shares;
  REQUIRE(shares[0] + shares[1] + shares[2] == Approx(1));
  std::map<std::string, double> seen;
  constexpr int count = 60'000;
  for (std::uint64_t i = 0; i < count; ++i)
    seen[fixture.visit(upstream::mixed_again(42, i))] += 1.0 / count;
  CAPTURE(upstream::balance_names[fixture.cluster().balance()], shares);
  REQUIRE(seen["a"] == Approx(shares[0]).margin(0.01));
  REQUIRE(seen["b"] == Approx(shares[1]).margin(0.01));
  REQUIRE(seen["c"] == Approx(shares[2]).margin(0.01));
}

TEST_CASE("the shares of round_robin, least_connections and first are exact", "[upstream]") {
  const auto shares_of = [](Balance balance) {
    Fixture fixture{balance, {5, 3, 2}};
    fixture.visits(7);
    return explain(fixture.upstream, {}, fixture.now).shares;
  };
  const auto turns = shares_of(Balance::round_robin);
  REQUIRE(turns[0] == Approx(0.5));
  REQUIRE(turns[1] == Approx(0.3));
  REQUIRE(turns[2] == Approx(0.2));
  for (const double share : shares_of(Balance::least_connections))
    REQUIRE(share == Approx(1.0 / 3));
  REQUIRE(shares_of(Balance::first) == std::vector<double>{1, 0, 0});
}

TEST_CASE("a hashed client has one endpoint", "[upstream]") {
  Fixture fixture{GENERATE(Balance::source_hash, Balance::maglev), {1, 1, 1}};
  const auto explanation = explain(fixture.upstream, upstream::mixed(5), fixture.now);
  std::vector<double> expected(3, 0.0);
  expected[explanation.next.index] = 1;
  REQUIRE(explanation.shares == expected);
}

TEST_CASE("explain takes no turn and no place", "[upstream]") {
  Fixture fixture{any_balance(), {1, 1}};
  const auto turn = fixture.upstream.turn();
  for (int i = 0; i < 3; ++i) explain(fixture.upstream, {}, fixture.now);
  REQUIRE(fixture.upstream.turn() == turn);
  REQUIRE(fixture.live(0).active == 0);
  REQUIRE(fixture.live(1).active == 0);
}

TEST_CASE("explain says full and nobody as a connection would meet them", "[upstream]") {
  Fixture fixture{web(any_balance(), {endpoint("a", 1, 0, 1)})};
  REQUIRE(next(fixture) == "a");
  fixture.take();
  REQUIRE(next(fixture) == "full");
  REQUIRE(explain(fixture.upstream, {}, fixture.now).shares == std::vector<double>{0});
  fixture.said(0, Health::down);
  REQUIRE(next(fixture) == "nobody");
}

TEST_CASE("explain knows the limit of the upstream, and who waits in line", "[upstream]") {
  auto spec = web(any_balance(), {endpoint("a")});
  spec.max_connections = 1;
  spec.queue.size = 1;
  Fixture limited{spec};
  limited.take();
  REQUIRE(limited.take() == "full");
  REQUIRE(next(limited) == "full");
  spec.max_connections = 0;
  Fixture waited_for{spec};
  REQUIRE(waited_for.upstream.queue().join(0, 0));
  REQUIRE(waited_for.take() == "full");
  REQUIRE(next(waited_for) == "full");
}

// Anybody who may read may ask, and who fills an upstream makes every pick look past what is full.
TEST_CASE("explain looks at a bounded number of endpoints, whatever state they are in",
          "[upstream]") {
  constexpr std::size_t count = 1000;
  auto spec = web(any_balance(), many(count));
  const std::uint32_t places = GENERATE(0U, 1U);
  for (auto& endpoint : spec.endpoints) endpoint.max_connections = places;
  Fixture fixture{spec};
  const std::size_t left_free = GENERATE(0U, 1U, 2U, 1000U);
  for (std::size_t i = left_free; i < count; ++i) fixture.live(i).active = 1;
  const auto explanation = explain(fixture.upstream, {}, fixture.now);
  CAPTURE(upstream::balance_names[fixture.cluster().balance()], left_free, places);
  REQUIRE(explanation.looks <= 65'536 + 2 * count + 16);
}

TEST_CASE("shares that are counted over fewer turns still add up and leave nobody out",
          "[upstream]") {
  // Half of them are full, so that every other turn looks at two.
  auto spec = web(Balance::round_robin, many(1000));
  for (std::size_t i = 0; i < 1000; i += 2) spec.endpoints[i].max_connections = 1;
  Fixture fixture{spec};
  for (std::size_t i = 0; i < 1000; i += 2) fixture.live(i).active = 1;
  const auto shares = explain(fixture.upstream, {}, fixture.now).shares;
  REQUIRE(shares[0] == 0);
  for (std::size_t i = 1; i < 1000; i += 2) REQUIRE(shares[i] == Approx(0.002));
}

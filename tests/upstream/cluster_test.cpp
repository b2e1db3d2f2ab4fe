#include "upstream/cluster.hpp"

#include <map>
#include <thread>

#include "upstream/fixture.hpp"

using namespace penstock;
using namespace penstock::testing;
using upstream::Balance;
using upstream::Tried;

TEST_CASE("equal endpoints are taken in turn", "[upstream]") {
  const auto balance = GENERATE(Balance::round_robin, Balance::least_connections);
  Fixture fixture{balance, {1, 1}};
  REQUIRE(fixture.visits(6) == "ababab");
}

TEST_CASE("an endpoint of weight 0 is never picked, and nobody is when all are", "[upstream]") {
  const auto balance =
      GENERATE(Balance::round_robin, Balance::least_connections, Balance::random_two,
               Balance::source_hash, Balance::maglev, Balance::first, Balance::peak_ewma);
  Fixture some{balance, {0, 1, 0}};
  REQUIRE(some.visits(10) == "bbbbbbbbbb");
  Fixture none{balance, {0, 0}};
  REQUIRE(none.visit() == "nobody");
  Fixture empty{balance, {}};
  REQUIRE(empty.visit() == "nobody");
}

TEST_CASE("least_connections takes the fewest connections per weight", "[upstream]") {
  Fixture fixture{Balance::least_connections, {1, 3}};
  fixture.live(0).active = 1;
  fixture.live(1).active = 2;  // two thirds of a connection per weight
  REQUIRE(fixture.visit() == "b");
  fixture.live(1).active = 4;
  REQUIRE(fixture.visit() == "a");
}

TEST_CASE("another endpoint is tried first, then one that was tried already", "[upstream]") {
  const auto balance =
      GENERATE(Balance::round_robin, Balance::least_connections, Balance::random_two,
               Balance::source_hash, Balance::maglev, Balance::first, Balance::peak_ewma);
  Fixture fixture{balance, {1, 1, 1}};
  Tried tried;
  tried.add(fixture.live(0));
  tried.add(fixture.live(2));
  REQUIRE(fixture.visit(7, tried) == "b");
  tried.add(fixture.live(1));
  REQUIRE(fixture.visit(7, tried) != "nobody");
}

TEST_CASE("threads that pick at once share the turns exactly", "[upstream]") {
  Fixture fixture{Balance::round_robin, {3, 1}};
  std::array<std::map<std::string, int>, 4> counts;
  std::vector<std::thread> threads;
  for (auto& count : counts)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) ++count[fixture.visit()];
    });
  for (auto& thread : threads) thread.join();
  int first = 0;
  for (auto& count : counts) first += count["a"];
  REQUIRE(first == 3000);
}

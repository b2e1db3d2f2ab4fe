#include "upstream/cluster.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <numeric>
#include <thread>

#include "upstream/registry.hpp"
#include "upstream/round_robin.hpp"

using namespace penstock;
using upstream::Balance;
using upstream::Cluster;
using upstream::Tried;

namespace {

upstream::ClusterSpec spec_of(Balance balance, const std::vector<std::uint32_t>& weights) {
  upstream::ClusterSpec spec{.name = "web", .balance = balance, .endpoints = {}, .connect = {}};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::string address = "10.0.0." + std::to_string(i + 1) + ":80";
    spec.endpoints.push_back(
        {.identity = address, .address = *os::parse_socket_address(address), .weight = weights[i]});
  }
  return spec;
}

struct Fixture {
  Fixture(Balance balance, const std::vector<std::uint32_t>& weights)
      : registry{{spec_of(balance, weights)}}, cluster{*registry.clusters().front()} {}
  std::uint16_t pick() const { return cluster.pick(Tried{}); }
  upstream::LiveRecord& live(std::uint16_t index) const { return *cluster.endpoint(index).live; }

  upstream::Registry registry;
  const Cluster& cluster;
};

std::string letters(const std::vector<std::uint16_t>& order) {
  std::string text;
  for (const auto index : order) text += static_cast<char>('a' + index);
  return text;
}

}  // namespace

TEST_CASE("weights are spread smoothly over a turn", "[upstream]") {
  REQUIRE(letters(upstream::smooth_weighted_order({5, 1, 1})) == "aabacaa");
  REQUIRE(letters(upstream::smooth_weighted_order({1, 1})) == "ab");
  REQUIRE(letters(upstream::smooth_weighted_order({10, 10, 20})) == "cabc");
  REQUIRE(letters(upstream::smooth_weighted_order({3, 0, 1})) == "aaca");
  REQUIRE(upstream::smooth_weighted_order({0, 0}).empty());
  REQUIRE(upstream::smooth_weighted_order({}).empty());
}

TEST_CASE("huge weights are scaled down, none to nothing", "[upstream]") {
  const auto order = upstream::smooth_weighted_order({65'535, 65'534, 1});
  REQUIRE(order.size() <= base::round_robin_order_max);
  REQUIRE(std::count(order.begin(), order.end(), 2) == 1);
}

TEST_CASE("equal endpoints are taken in turn", "[upstream]") {
  const auto balance = GENERATE(Balance::round_robin, Balance::least_connections);
  const Fixture fixture{balance, {1, 1}};
  std::vector<std::uint16_t> picks;
  for (int i = 0; i < 6; ++i) picks.push_back(fixture.pick());
  REQUIRE(letters(picks) == "ababab");
}

TEST_CASE("an endpoint of weight 0 is never picked, and nobody is when all are", "[upstream]") {
  const auto balance = GENERATE(Balance::round_robin, Balance::least_connections);
  const Fixture some{balance, {0, 1, 0}};
  for (int i = 0; i < 10; ++i) REQUIRE(some.pick() == 1);
  const Fixture none{balance, {0, 0}};
  REQUIRE(none.pick() == Cluster::none);
}

TEST_CASE("least_connections takes the fewest connections per weight", "[upstream]") {
  const Fixture fixture{Balance::least_connections, {1, 3}};
  fixture.live(0).active = 1;
  fixture.live(1).active = 2;  // two thirds of a connection per weight
  REQUIRE(fixture.pick() == 1);
  fixture.live(1).active = 4;
  REQUIRE(fixture.pick() == 0);
}

TEST_CASE("another endpoint is tried first, then one that was tried already", "[upstream]") {
  const auto balance = GENERATE(Balance::round_robin, Balance::least_connections);
  const Fixture fixture{balance, {1, 1, 1}};
  Tried tried;
  tried.add(0);
  tried.add(2);
  REQUIRE(fixture.cluster.pick(tried) == 1);
  tried.add(1);
  REQUIRE(fixture.cluster.pick(tried) != Cluster::none);
}

TEST_CASE("threads that pick at once share the turns exactly", "[upstream]") {
  const Fixture fixture{Balance::round_robin, {3, 1}};
  std::array<std::map<std::uint16_t, int>, 4> counts;
  std::vector<std::thread> threads;
  for (auto& count : counts)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) ++count[fixture.pick()];
    });
  for (auto& thread : threads) thread.join();
  int first = 0;
  for (auto& count : counts) first += count[0];
  REQUIRE(first == 3000);
}

TEST_CASE("endpoints of one identity share a live record only within their upstream",
          "[upstream]") {
  auto one = spec_of(Balance::round_robin, {1});
  auto other = one;
  other.name = "api";
  const upstream::Registry registry{{one, other}};
  REQUIRE(registry.find("web")->endpoint(0).live != registry.find("api")->endpoint(0).live);
  REQUIRE(registry.find("nobody") == nullptr);
}

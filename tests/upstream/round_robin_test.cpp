#include "upstream/round_robin.hpp"

#include <algorithm>
#include <string>

#include "base/limits.hpp"
#include "catch.hpp"

using namespace penstock;

namespace {

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

TEST_CASE("thousands of endpoints with unequal weights keep their exact shares", "[upstream]") {
  std::vector<std::uint32_t> weights;
  for (std::uint32_t i = 0; i < 10'000; ++i) weights.push_back(i % 10 + 1);
  const auto order = upstream::smooth_weighted_order(weights);
  std::vector<std::uint32_t> counts(weights.size(), 0);
  for (const auto index : order) ++counts[index];
  REQUIRE(counts == weights);
  // No endpoint has two turns in a row, nor waits for twice its fair distance.
  for (std::size_t i = 1; i < order.size(); ++i) REQUIRE(order[i] != order[i - 1]);
}

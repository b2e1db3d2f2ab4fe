#include "health/target.hpp"

#include <array>

#include "catch.hpp"

using namespace penstock;
using health::HealthShared;

TEST_CASE("an interval varies by 10 % at most, and evenly", "[health]") {
  constexpr base::Duration interval = std::chrono::seconds{2};
  HealthShared shared{{}, 42};
  std::array<int, 10> tenths{};
  for (int i = 0; i < 10'000; ++i) {
    const base::Duration varied = shared.vary(interval);
    REQUIRE(varied >= interval * 9 / 10);
    REQUIRE(varied < interval * 11 / 10);
    ++tenths.at(static_cast<std::size_t>((varied - interval * 9 / 10) / (interval / 50)));
  }
  for (const int count : tenths) CHECK((count > 850 && count < 1150));
}

TEST_CASE("the seed decides how intervals vary", "[health]") {
  const auto three_from = [](std::uint64_t seed) {
    HealthShared shared{{}, seed};
    std::array<base::Duration, 3> varied{};
    for (auto& each : varied) each = shared.vary(std::chrono::seconds{2});
    return varied;
  };
  CHECK(three_from(1) == three_from(1));
  CHECK(three_from(1) != three_from(2));
}

TEST_CASE("the longest interval that can be configured varies without overflow", "[health]") {
  HealthShared shared{{}, 7};
  CHECK(shared.vary(std::chrono::hours{24}) > std::chrono::hours{21});
}

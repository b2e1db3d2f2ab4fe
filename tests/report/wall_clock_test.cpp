#include "report/wall_clock.hpp"

#include "catch.hpp"

using namespace penstock;
using namespace std::chrono_literals;

namespace {
constexpr base::Instant wall_start{base::Duration{5s}};
constexpr std::int64_t second = 1'000'000'000;
}  // namespace

TEST_CASE("a moment keeps its name though the clocks are never read at once") {
  report::WallClock clock;
  clock.look(wall_start, 100 * second);
  clock.look(wall_start + 1s, 101 * second + 1234);
  CHECK(clock.at(wall_start) == 100 * second);
  CHECK(clock.at(wall_start - 2s) == 98 * second);
}

TEST_CASE("a wall clock that was set gives moments other names") {
  report::WallClock clock;
  clock.look(wall_start, 100 * second);
  clock.look(wall_start + 1s, 161 * second);
  CHECK(clock.at(wall_start) == 160 * second);
  clock.look(wall_start + 2s, 42 * second);
  CHECK(clock.at(wall_start) == 40 * second);
}

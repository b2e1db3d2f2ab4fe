#include "health/judge.hpp"

#include <string>

#include "catch.hpp"

using namespace penstock;
using namespace penstock::upstream;

namespace {

// The rule once more, read from the whole history at once: the state is that of the last row of
// equal results that was long enough; the first result is always long enough.
Health judged_by_history(const std::string& results, int rise, int fall) {
  Health state = Health::unknown;
  int row = 0;
  char before = ' ';
  for (const char result : results) {
    row = result == before ? row + 1 : 1;
    before = result;
    const Health said = result == '+' ? Health::up : Health::down;
    if (state == Health::unknown || row >= (result == '+' ? rise : fall)) state = said;
  }
  return state;
}

std::string sequence(unsigned bits, int length) {
  std::string results;
  for (int i = 0; i < length; ++i) results += (bits >> i & 1) != 0 ? '+' : '-';
  return results;
}

TEST_CASE("a patient judge takes as many failures of an unknown endpoint as of one that was up",
          "[health]") {
  health::HealthJudge judge{2, 3, true};
  CHECK_FALSE(judge.take(false));
  CHECK_FALSE(judge.take(false));
  CHECK(judge.state() == Health::unknown);
  CHECK(judge.take(false));
  CHECK(judge.state() == Health::down);
  health::HealthJudge lucky{2, 3, true};
  CHECK_FALSE(lucky.take(false));
  CHECK(lucky.take(true));
  CHECK(lucky.state() == Health::up);
}

}  // namespace

TEST_CASE("every short sequence of results is judged by its rows", "[health]") {
  for (int rise = 1; rise <= 4; ++rise)
    for (int fall = 1; fall <= 4; ++fall)
      for (int length = 1; length <= 9; ++length)
        for (unsigned bits = 0; bits < 1U << length; ++bits) {
          const std::string results = sequence(bits, length);
          health::HealthJudge judge{rise, fall};
          bool changed = false;
          Health before = Health::unknown;
          for (const char result : results) {
            before = judge.state();
            changed = judge.take(result == '+');
          }
          INFO(results << " rise " << rise << " fall " << fall);
          REQUIRE(judge.state() == judged_by_history(results, rise, fall));
          REQUIRE(changed == (before != judge.state()));
        }
}

TEST_CASE("the first result decides at once", "[health]") {
  health::HealthJudge good{2, 3};
  REQUIRE(good.state() == Health::unknown);
  REQUIRE(good.take(true));
  REQUIRE(good.state() == Health::up);
  health::HealthJudge bad{2, 3};
  REQUIRE(bad.take(false));
  REQUIRE(bad.state() == Health::down);
}

TEST_CASE("one result to the contrary ends a row", "[health]") {
  health::HealthJudge judge{2, 3};
  for (const bool passed : {true, false, false, true, false, false}) judge.take(passed);
  REQUIRE(judge.state() == Health::up);
  REQUIRE(judge.take(false));
  REQUIRE(judge.state() == Health::down);
}

TEST_CASE("new lengths of rows hold for the row under way", "[health]") {
  health::HealthJudge judge{2, 3};
  judge.take(true);
  judge.take(false);
  judge.set_rows(2, 2);
  REQUIRE(judge.take(false));
  REQUIRE(judge.state() == Health::down);
}

#include "base/spin_gauge.hpp"

#include "catch.hpp"

using namespace std::chrono_literals;

namespace penstock::base {

namespace {

// Waits so often, and every `hit_every`th spin hits (0: none); answers how many waits spun.
int spins_in(SpinGauge& gauge, int waits, int hit_every) {
  int spins = 0;
  for (int i = 0; i < waits; ++i) {
    if (gauge.length() == Duration{0}) continue;
    ++spins;
    gauge.note(hit_every != 0 && spins % hit_every == 0);
  }
  return spins;
}

}  // namespace

TEST_CASE("a fixed spin is as long every time, whether it hits or not", "[base]") {
  SpinGauge gauge = SpinGauge::fixed(50us);
  CHECK(gauge.length() == 50us);
  CHECK(spins_in(gauge, 10'000, 0) == 10'000);
}

TEST_CASE("a gauge that was not set never spins", "[base]") {
  SpinGauge gauge;
  CHECK(spins_in(gauge, 1'000, 1) == 0);
}

TEST_CASE("an adaptive spin goes on while one in four hits", "[base]") {
  SpinGauge gauge = SpinGauge::adaptive();
  CHECK(gauge.length() == 200us);
  CHECK(spins_in(gauge, 10'000, 4) == 10'000);
}

TEST_CASE("an adaptive spin stops where fewer than one in four hit, and tries again", "[base]") {
  SpinGauge gauge = SpinGauge::adaptive();
  CHECK(spins_in(gauge, 10'320, 5) == 10 * SpinGauge::spins_judged);
}

TEST_CASE("an adaptive spin that hits again goes on again", "[base]") {
  SpinGauge gauge = SpinGauge::adaptive();
  CHECK(spins_in(gauge, 1'032, 0) == 32);
  CHECK(spins_in(gauge, 5'000, 2) == 5'000);
}

}  // namespace penstock::base

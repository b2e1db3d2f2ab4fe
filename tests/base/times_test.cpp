#include "base/times.hpp"

#include "catch.hpp"

using namespace penstock;
using namespace std::chrono_literals;

TEST_CASE("a product of a duration and a count stops at the longest duration there is", "[base]") {
  CHECK(base::times(2s, 3) == 6s);
  CHECK(base::times(0s, 8) == 0s);
  CHECK(base::times(1'000'000h, 0) == 0s);
  CHECK(base::times(1'000'000h, 2) == 2'000'000h);
  CHECK(base::times(1'000'000h, 3) == base::Duration::max());
  CHECK(base::times(1'000'000h, 1 << 20) == base::Duration::max());
  CHECK(base::deadline_after(base::Instant{1h}, base::times(900'000h, 3)) == base::never);
}

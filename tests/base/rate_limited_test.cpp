#include "base/rate_limited.hpp"

#include "catch.hpp"

using namespace penstock;
using namespace std::chrono_literals;

TEST_CASE("what is rate limited is said at once, and then once in an interval", "[base]") {
  base::RateLimited limit{10s};
  const base::Instant begin{1h};
  CHECK(limit.take(begin));
  CHECK_FALSE(limit.take(begin));
  CHECK_FALSE(limit.take(begin + 10s - 1ns));
  CHECK(limit.take(begin + 10s));
  CHECK_FALSE(limit.take(begin + 19s));
}

TEST_CASE("a count is told by how far it has grown, and nothing of it is lost between", "[base]") {
  base::RateLimited limit{10s};
  const base::Instant begin{1h};
  CHECK(limit.take_growth(0, begin) == 0);
  CHECK(limit.take_growth(3, begin) == 3);  // nothing was said yet: nothing to wait for
  CHECK(limit.take_growth(4, begin + 1s) == 0);
  CHECK(limit.take_growth(9, begin + 10s) == 6);
  CHECK(limit.take_growth(9, begin + 30s) == 0);
  CHECK(limit.take_growth(10, begin + 30s) == 1);
}

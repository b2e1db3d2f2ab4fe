#include "base/moment.hpp"

#include "catch.hpp"

using namespace std::chrono_literals;

namespace penstock::base {

namespace {
constexpr Duration wrap = std::chrono::milliseconds{std::int64_t{1} << 32};
}

TEST_CASE("a moment is the instant that it was made of, rounded up to a millisecond", "[base]") {
  const Instant now{1h};
  CHECK(Moment{now, now}.near(now) == now);
  CHECK(Moment{now + 1ns, now}.near(now) == now + 1ms);
  CHECK(Moment{now + 5s, now}.near(now + 7s) == now + 5s);
  CHECK(Moment{now - 5s, now}.near(now) == now - 5s);
}

TEST_CASE("a moment is the same whenever the clock's milliseconds pass 2^32", "[base]") {
  for (int times = 1; times < 4; ++times)
    for (const Duration away : {-2ms, -1ms, 0ms, 1ms, 2ms}) {
      const Instant now = Instant{} + times * wrap + away;
      const Instant ahead = Moment{now + 3ms, now}.near(now + 1ms);
      CHECK(ahead >= now + 3ms);
      CHECK(ahead <= now + 4ms);  // one number stands for never
      CHECK_FALSE(Moment{now, now}.is_never());
    }
}

TEST_CASE("a moment of never is never, whenever it is asked", "[base]") {
  CHECK(Moment{}.is_never());
  CHECK(Moment{never, Instant{1h}}.is_never());
  CHECK(Moment{}.near(Instant{wrap - 1ms}) == never);
}

TEST_CASE("a moment farther ahead than it reaches comes no later than that", "[base]") {
  const Instant now{1h};
  const Moment far{now + 10'000h, now};
  CHECK(far.near(now) == now + Moment::reach);
  CHECK(far.near(now + Moment::reach) == now + Moment::reach);
}

}  // namespace penstock::base

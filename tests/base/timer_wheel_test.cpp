#include "base/timer_wheel.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "catch.hpp"

namespace penstock::base {

namespace {

using namespace std::chrono_literals;

struct Alarm : Timer {
  int id = 0;
};

constexpr Duration tick = 1ms;

Instant at(Duration since_start) {
  return Instant{since_start};
}

// The first tick that is not before `deadline`.
Instant tick_of(Instant deadline) {
  return Instant{std::chrono::ceil<std::chrono::milliseconds>(deadline.time_since_epoch())};
}

std::vector<int> fired_by(TimerWheel& wheel, Instant now) {
  std::vector<int> ids;
  wheel.advance(now, [&](Timer& timer) { ids.push_back(static_cast<Alarm&>(timer).id); });
  return ids;
}

// The wheel beside a plain list of deadlines, which says what must happen.
class Model {
 public:
  Model(Instant start, std::uint32_t seed) : now_{start}, wheel_{start}, random_{seed} {
    for (int id = 0; id < alarm_count; ++id) alarms_[static_cast<std::size_t>(id)].id = id;
  }

  void step() {
    const auto choice = random_() % 8;
    if (choice < 4)
      arm(pick());
    else if (choice == 4)
      disarm(pick());
    else
      advance();
  }

  void finish() {
    while (!deadlines_.empty()) advance_to(wheel_.next_wakeup());
    CHECK(wheel_.next_wakeup() == never);
  }

 private:
  static constexpr int alarm_count = 40;

  Alarm& pick() { return alarms_[random_() % alarm_count]; }

  // Every order of magnitude from 1 ns to 13 days, so that each level and the far list are met.
  Duration distance() {
    const auto magnitude = random_() % 51;
    return Duration{static_cast<std::int64_t>(random_() % (std::uint64_t{1} << magnitude))};
  }

  void arm(Alarm& alarm) {
    const Instant deadline = now_ + distance();
    wheel_.arm(alarm, deadline);
    deadlines_[alarm.id] = deadline;
  }

  void disarm(Alarm& alarm) {
    wheel_.disarm(alarm);
    deadlines_.erase(alarm.id);
    REQUIRE_FALSE(alarm.armed());
  }

  void advance() {
    advance_to(random_() % 2 == 0 ? now_ + distance() : std::max(now_, wheel_.next_wakeup()));
  }

  void advance_to(Instant target) {
    if (target == never) return;
    check_next_wakeup();
    now_ = std::max(now_, target);
    for (const int id : fired_by(wheel_, now_)) {
      const auto found = deadlines_.find(id);
      REQUIRE(found != deadlines_.end());  // it was armed, and has not fired twice
      REQUIRE(found->second <= now_);      // it is not early
      deadlines_.erase(found);
    }
    // None is later than one tick. (One armed for the running tick fires in the next one.)
    for (const auto& [id, deadline] : deadlines_) REQUIRE(tick_of(deadline) + tick > now_);
    for (const Alarm& alarm : alarms_) REQUIRE(alarm.armed() == deadlines_.contains(alarm.id));
  }

  void check_next_wakeup() const {
    if (deadlines_.empty()) {
      REQUIRE(wheel_.next_wakeup() == never);
      return;
    }
    Instant earliest = never;
    for (const auto& [id, deadline] : deadlines_) earliest = std::min(earliest, deadline);
    REQUIRE(wheel_.next_wakeup() <= std::max(tick_of(earliest), now_ + tick));
  }

  Instant now_;
  TimerWheel wheel_;
  std::array<Alarm, alarm_count> alarms_;
  std::map<int, Instant> deadlines_;
  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("a random timer wheel does what a list of deadlines does", "[base]") {
  const Duration starts[] = {
      0ns,    999'999ns,           63ms,
      4096ms, Duration{1h} * 4660, Duration{1ms} * 4'294'967'290};  // 6 ms below 2^32 ms
  for (const Duration start : starts) {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(start.count(), seed);
      Model model{at(start), seed};
      for (int i = 0; i < 3000; ++i) model.step();
      model.finish();
    }
  }
}

TEST_CASE("a timer fires at its deadline's tick, not before, and only once", "[base]") {
  const Duration distances[] = {1ms, 63ms, 64ms, 65ms, 4095ms, 4096ms, 1h, 4h, 5h, 20h, 24h * 60};
  for (const Duration start : {Duration{0}, Duration{5h} + 123'456us}) {
    for (const Duration distance : distances) {
      CAPTURE(start.count(), distance.count());
      TimerWheel wheel{at(start)};
      Alarm alarm;
      const Instant deadline = at(start) + distance;
      wheel.arm(alarm, deadline);
      CHECK(fired_by(wheel, deadline - 1ns).empty());
      CHECK(alarm.armed());
      CHECK(fired_by(wheel, tick_of(deadline)).size() == 1);
      CHECK_FALSE(alarm.armed());
      CHECK(fired_by(wheel, deadline + 100h).empty());
    }
  }
}

TEST_CASE("a wheel that sleeps until next_wakeup fires a far timer in few wake-ups", "[base]") {
  TimerWheel wheel{at(10s)};
  Alarm alarm;
  wheel.arm(alarm, at(10s) + 30h);
  int wakeups = 0;
  Instant now = at(10s);
  while (alarm.armed() && wakeups < 100) {
    REQUIRE(wheel.next_wakeup() > now);
    now = wheel.next_wakeup();
    fired_by(wheel, now);
    ++wakeups;
  }
  CHECK(now == at(10s) + 30h);
  CHECK(wakeups < 20);
}

TEST_CASE("timers fire in the order of their deadlines' ticks", "[base]") {
  TimerWheel wheel{at(0s)};
  std::array<Alarm, 50> alarms;
  std::mt19937 random{3};
  std::map<int, Instant> deadlines;
  for (int id = 0; id < 50; ++id) {
    alarms[static_cast<std::size_t>(id)].id = id;
    deadlines[id] = at(std::chrono::milliseconds{random() % 40'000'000});
    wheel.arm(alarms[static_cast<std::size_t>(id)], deadlines[id]);
  }
  const auto ids = fired_by(wheel, at(24h));
  REQUIRE(ids.size() == 50);
  CHECK(std::is_sorted(ids.begin(), ids.end(),
                       [&](int a, int b) { return deadlines[a] < deadlines[b]; }));
}

TEST_CASE("a past deadline fires at the next tick, and never disarms", "[base]") {
  TimerWheel wheel{at(1h)};
  Alarm alarm;
  wheel.arm(alarm, at(1s));
  CHECK(wheel.next_wakeup() == at(1h) + tick);
  CHECK(fired_by(wheel, at(1h) + tick).size() == 1);
  wheel.arm(alarm, at(2h));
  wheel.arm(alarm, never);
  CHECK_FALSE(alarm.armed());
  CHECK(wheel.next_wakeup() == never);
}

TEST_CASE("a clock that goes back changes nothing", "[base]") {
  TimerWheel wheel{at(1h)};
  Alarm alarm;
  wheel.arm(alarm, at(1h) + 5ms);
  CHECK(fired_by(wheel, at(1s)).empty());
  CHECK(alarm.armed());
  CHECK(fired_by(wheel, at(1h) + 5ms).size() == 1);
}

TEST_CASE("a destroyed timer is gone from the wheel", "[base]") {
  TimerWheel wheel{at(0s)};
  auto alarm = std::make_unique<Alarm>();
  wheel.arm(*alarm, at(10ms));
  alarm.reset();
  CHECK(wheel.next_wakeup() == never);
  CHECK(fired_by(wheel, at(1s)).empty());
}

TEST_CASE("timers may outlive their wheel", "[base]") {
  std::array<Alarm, 3> alarms;
  auto wheel = std::make_unique<TimerWheel>(at(0s));
  for (Alarm& alarm : alarms) wheel->arm(alarm, at(10ms));
  wheel.reset();
  TimerWheel other{at(0s)};
  for (Alarm& alarm : alarms) other.arm(alarm, at(20ms));
  CHECK(fired_by(other, at(20ms)).size() == 3);
}

TEST_CASE("fire may arm the timer again, arm others and destroy others that are due", "[base]") {
  TimerWheel wheel{at(0s)};
  Alarm repeating;
  auto victim = std::make_unique<Alarm>();
  Alarm later;
  wheel.arm(repeating, at(10ms));
  wheel.arm(*victim, at(10ms));
  int fired_repeating = 0;
  int fired_others = 0;
  const auto fire = [&](Timer& timer) {
    if (&timer != &repeating) {
      ++fired_others;
      return;
    }
    ++fired_repeating;
    victim.reset();
    wheel.arm(repeating, at(5ms));  // past: due in the next tick, not at once for ever
    if (fired_repeating == 1) wheel.arm(later, at(11ms));
  };
  wheel.advance(at(10ms), fire);
  CHECK(fired_repeating == 1);
  CHECK(fired_others == 0);
  CHECK(repeating.armed());
  wheel.advance(at(11ms), fire);
  CHECK(fired_repeating == 2);
  CHECK(fired_others == 1);
}

TEST_CASE("moving a timer replaces its deadline", "[base]") {
  TimerWheel wheel{at(0s)};
  Alarm alarm;
  wheel.arm(alarm, at(5ms));
  wheel.arm(alarm, at(5h));
  CHECK(fired_by(wheel, at(1h)).empty());
  wheel.arm(alarm, at(1h) + 2ms);
  CHECK(fired_by(wheel, at(1h) + 2ms).size() == 1);
}

TEST_CASE("a timeout of zero, or beyond the clock's range, is no deadline", "[base]") {
  CHECK(deadline_after(at(1s), 0s) == never);
  CHECK(deadline_after(at(1s), 2s) == at(3s));
  CHECK(deadline_after(at(1s), Duration::max()) == never);
  CHECK(deadline_after(at(0s), Duration::max() - 1ns) == never - 1ns);
}

}  // namespace penstock::base

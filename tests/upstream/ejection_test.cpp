// Passive health: who is ejected, for how long, and how it returns.

#include "upstream/upstream.hpp"

#include <cerrno>
#include <set>
#include <thread>

#include "upstream/endpoint_life.hpp"
#include "upstream/fixture.hpp"

using namespace penstock;
using namespace penstock::testing;
using namespace std::chrono_literals;
using upstream::Balance;
using upstream::Health;
using upstream::Override;
using upstream::Standing;
using upstream::State;

namespace {

upstream::ClusterSpec watched(std::size_t count, std::uint32_t failures = 3) {
  auto spec = web(Balance::round_robin, many(count));
  spec.outlier = upstream::OutlierOptions{.consecutive_failures = failures};
  return spec;
}

void fail(Fixture& fixture, std::size_t index, int times) {
  for (int i = 0; i < times; ++i) fixture.upstream.note_failure(fixture.live(index), fixture.now);
}

base::Duration ejected_for(Fixture& fixture, std::size_t index) {
  return base::Duration{fixture.live(index).ejected_until.load()} - fixture.now.time_since_epoch();
}

int ejected(const Fixture& fixture) {
  int count = 0;
  for (const auto& endpoint : fixture.cluster().endpoints()) count += endpoint.live->is_ejected();
  return count;
}

// Waits until the ejection is over.
void return_from_ejection(Fixture& fixture, std::size_t index) {
  fixture.now += ejected_for(fixture, index);
  fixture.registry.refresh(fixture.now);
}

}  // namespace

TEST_CASE("so many failures in a row eject an endpoint, at once", "[upstream]") {
  Fixture fixture{watched(3)};
  fail(fixture, 1, 2);
  REQUIRE(ejected(fixture) == 0);
  REQUIRE_FALSE(fixture.registry.is_stale());
  fail(fixture, 1, 1);
  REQUIRE(fixture.live(1).is_ejected());
  REQUIRE(fixture.live(1).state() == State::ejected);
  REQUIRE(fixture.registry.is_stale());
  REQUIRE(fixture.visits(6).find("e1") == std::string::npos);  // before any new layout
  const auto refreshed = fixture.registry.refresh(fixture.now);
  REQUIRE(refreshed.changed == std::vector{&fixture.live(1)});
  REQUIRE(fixture.cluster().layout().standing[1] == Standing::ejected);
  REQUIRE(upstream::why_of(fixture.live(1)) == "3 failures in a row");
  REQUIRE(refreshed.next == fixture.now + ejected_for(fixture, 1));
}

TEST_CASE("without outlier nobody is ejected", "[upstream]") {
  Fixture fixture{web(Balance::round_robin, many(3))};
  fail(fixture, 0, 1000);
  REQUIRE(ejected(fixture) == 0);
}

TEST_CASE("a success clears the account", "[upstream]") {
  Fixture fixture{watched(2)};
  for (int i = 0; i < 10; ++i) {
    fail(fixture, 0, 2);
    fixture.upstream.note_success(fixture.live(0));
  }
  REQUIRE(ejected(fixture) == 0);
  fail(fixture, 0, 3);
  REQUIRE(ejected(fixture) == 1);
}

TEST_CASE("what a connection of before says leaves an ejection as it is", "[upstream]") {
  Fixture fixture{watched(2)};
  fail(fixture, 0, 3);
  fixture.upstream.note_success(fixture.live(0));
  REQUIRE(fixture.live(0).is_ejected());
  REQUIRE(upstream::why_of(fixture.live(0)) == "3 failures in a row");
}

TEST_CASE("at most max_ejected of the endpoints are ejected, rounded down", "[upstream]") {
  const auto [count, percent, most] = GENERATE(table<std::size_t, int, int>({{5, 50, 2},
                                                                             {4, 50, 2},
                                                                             {3, 50, 1},
                                                                             {2, 50, 1},
                                                                             {3, 33, 0},
                                                                             {3, 34, 1},
                                                                             {3, 100, 3},
                                                                             {5, 0, 0},
                                                                             {100, 29, 29},
                                                                             {100, 57, 57},
                                                                             {50, 58, 29}}));
  CAPTURE(count, percent);
  auto spec = watched(count);
  spec.outlier->max_ejected = percent / 100.0;
  Fixture fixture{spec};
  for (std::size_t i = 0; i < count; ++i) fail(fixture, i, 10);
  REQUIRE(ejected(fixture) == most);
}

TEST_CASE("a lone endpoint is never ejected", "[upstream]") {
  auto spec = watched(1);
  spec.outlier->max_ejected = GENERATE(0.5, 1.0);
  Fixture fixture{spec};
  fail(fixture, 0, 100);
  REQUIRE(ejected(fixture) == 0);
  REQUIRE(fixture.take() == "e0");
}

TEST_CASE("who could not be ejected is when another one has returned", "[upstream]") {
  Fixture fixture{watched(2)};
  fail(fixture, 0, 3);
  fail(fixture, 1, 3);
  REQUIRE(ejected(fixture) == 1);
  return_from_ejection(fixture, 0);
  REQUIRE(ejected(fixture) == 0);
  fail(fixture, 1, 1);
  REQUIRE(fixture.live(1).is_ejected());
}

TEST_CASE("threads that fail at once eject no more than the share", "[upstream]") {
  for (int round = 0; round < 200; ++round) {
    Fixture fixture{watched(5)};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < 5; ++i) fail(fixture, i, 3);
      });
    for (auto& thread : threads) thread.join();
    REQUIRE(ejected(fixture) == 2);
    std::uint64_t ejections = 0;
    for (std::size_t i = 0; i < 5; ++i) ejections += fixture.live(i).ejections;
    REQUIRE(ejections == 2);
  }
}

TEST_CASE("each ejection in a row lasts twice as long, up to sixteen times, varied by chance",
          "[upstream]") {
  Fixture fixture{watched(2)};
  fail(fixture, 0, 2);
  for (int number = 1; number <= 7; ++number) {
    fail(fixture, 0, 1);  // after a return, one failure is enough
    REQUIRE(fixture.live(0).is_ejected());
    REQUIRE(fixture.live(0).ejections == static_cast<std::uint64_t>(number));
    const base::Duration whole = 30s * std::min(1 << (number - 1), 16);
    CAPTURE(number);
    REQUIRE(ejected_for(fixture, 0) >= whole * 9 / 10);
    REQUIRE(ejected_for(fixture, 0) <= whole * 11 / 10);
    return_from_ejection(fixture, 0);
  }
}

TEST_CASE("endpoints that are ejected together do not return together", "[upstream]") {
  Fixture fixture{watched(100)};
  std::set<std::int64_t> times;
  for (std::size_t i = 0; i < 50; ++i) {
    fail(fixture, i, 3);
    times.insert(fixture.live(i).ejected_until);
  }
  REQUIRE(times.size() > 45);
  REQUIRE(*times.rbegin() - *times.begin() > base::Duration{5s}.count());
}

TEST_CASE("who returns from an ejection returns gently, and the next failure ejects it again",
          "[upstream]") {
  Fixture fixture{watched(2)};
  fail(fixture, 0, 3);
  fixture.registry.refresh(fixture.now);
  fixture.now += ejected_for(fixture, 0) - 1ns;
  REQUIRE(fixture.registry.refresh(fixture.now).changed.empty());
  REQUIRE(fixture.live(0).is_ejected());
  fixture.now += 1ns;
  REQUIRE(fixture.registry.refresh(fixture.now).changed == std::vector{&fixture.live(0)});
  REQUIRE_FALSE(fixture.live(0).is_ejected());
  REQUIRE(fixture.live(0).state() == State::up);
  for (int tenths = 1; tenths <= 10; ++tenths) {
    REQUIRE(fixture.cluster().layout().ramp[0] == Approx(tenths * 6553.6).margin(1));
    fixture.now += upstream::return_ramp / 10;
    fixture.registry.refresh(fixture.now);
  }
  fail(fixture, 0, 1);
  REQUIRE(fixture.live(0).is_ejected());
}

TEST_CASE("after its return a success clears the account of an endpoint", "[upstream]") {
  Fixture fixture{watched(2)};
  fail(fixture, 0, 3);
  return_from_ejection(fixture, 0);
  fixture.upstream.note_success(fixture.live(0));
  fail(fixture, 0, 2);
  REQUIRE_FALSE(fixture.live(0).is_ejected());
  fail(fixture, 0, 1);
  REQUIRE(fixture.live(0).is_ejected());
}

TEST_CASE("ejections are forgotten after twice the length of the last one", "[upstream]") {
  Fixture fixture{watched(2)};
  fail(fixture, 0, 3);
  return_from_ejection(fixture, 0);
  fixture.upstream.note_success(fixture.live(0));
  REQUIRE(fixture.live(0).ejections_in_a_row == 1);
  fixture.now += 60s - 1ns;
  fixture.registry.refresh(fixture.now);
  REQUIRE(fixture.live(0).ejections_in_a_row == 1);
  fixture.now += 1ns;
  fixture.registry.refresh(fixture.now);
  REQUIRE(fixture.live(0).ejections_in_a_row == 0);
  fail(fixture, 0, 3);
  REQUIRE(ejected_for(fixture, 0) <= 33s);
}

TEST_CASE("the failures of this host do not count against an endpoint", "[upstream]") {
  for (const int error :
       {ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN, ENOENT, EPROTO})
    REQUIRE(upstream::is_endpoints_fault(upstream::connect_failure_from(error)));
  for (const int error :
       {ENETUNREACH, EADDRNOTAVAIL, EACCES, EPERM, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC})
    REQUIRE_FALSE(upstream::is_endpoints_fault(upstream::connect_failure_from(error)));
}

TEST_CASE("an endpoint that fails is not the quickest for it", "[upstream]") {
  Fixture fixture{Balance::peak_ewma, {1, 1}};
  for (std::size_t i = 0; i < 2; ++i) fixture.live(i).latency.sample(1ms, fixture.now);
  // b answers every millisecond; a refuses whoever comes.
  int refused = 0;
  for (int i = 0; i < 100'000; ++i) {
    fixture.now += 1ms;
    const auto taken = fixture.upstream.take(0, {}, false, fixture.now);
    if (taken.lease.endpoint() == &fixture.live(1)) {
      taken.lease.endpoint()->latency.sample(1ms, fixture.now);
    } else {
      ++refused;
      fixture.upstream.note_failure(*taken.lease.endpoint(), fixture.now);
    }
  }
  REQUIRE(refused < 100);
}

TEST_CASE("what a check or an operator says does not cut a gentle return short", "[upstream]") {
  Fixture fixture{watched(4)};
  fail(fixture, 0, 3);
  fixture.now += 60s;
  fixture.registry.refresh(fixture.now);
  REQUIRE(upstream::ramp_at(fixture.live(0), fixture.now) < 1.0);
  fixture.said(0, Override::drain);
  fixture.said(0, Override::up);
  fixture.said(0, Health::down);
  fixture.said(0, Health::up);
  REQUIRE(upstream::ramp_at(fixture.live(0), fixture.now) < 1.0);
}

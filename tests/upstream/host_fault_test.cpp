// Failures of this host: what it cannot go to is nobody's fault, and remembered for a while.

#include <algorithm>
#include <cerrno>
#include <set>

#include "upstream/endpoint_life.hpp"
#include "upstream/explain.hpp"
#include "upstream/fixture.hpp"

using namespace penstock;
using namespace penstock::testing;
using upstream::Balance;
using upstream::ConnectFailure;
using upstream::Health;
using upstream::Override;
using upstream::Standing;
using upstream::Tried;

namespace {

void cut_off(Fixture& fixture, std::size_t index, ConnectFailure fault = ConnectFailure::no_route) {
  fixture.upstream.note_host_fault(fixture.live(index), fault, fixture.now);
}

std::vector<upstream::LiveRecord*> reach_changed(Fixture& fixture) {
  return fixture.registry.refresh(fixture.now).reach_changed;
}

}  // namespace

TEST_CASE("a connect() that fails at once for want of a way is a fault of this host",
          "[upstream]") {
  using upstream::host_fault_from;
  for (const int error : {ENETUNREACH, EHOSTUNREACH, EAFNOSUPPORT, EINVAL, ENODEV})
    REQUIRE(host_fault_from(error) == ConnectFailure::no_route);
  REQUIRE(host_fault_from(EADDRNOTAVAIL) == ConnectFailure::no_port);
  for (const int error : {EACCES, EPERM})
    REQUIRE(host_fault_from(error) == ConnectFailure::not_permitted);
  // The endpoint refused, its queue is full, or this process is short of something for a moment.
  for (const int error : {ECONNREFUSED, ENOENT, EAGAIN, ETIMEDOUT, EMFILE, ENOBUFS, ENOMEM})
    REQUIRE_FALSE(host_fault_from(error));
}

TEST_CASE("who is cut off is passed over at once, and its part is shared by all others",
          "[upstream]") {
  const auto balance =
      GENERATE(Balance::round_robin, Balance::least_connections, Balance::random_two,
               Balance::source_hash, Balance::maglev, Balance::first, Balance::peak_ewma);
  CAPTURE(upstream::balance_names[balance]);
  Fixture fixture{balance, {1, 1, 1, 1}};
  cut_off(fixture, 0);
  cut_off(fixture, 1);
  REQUIRE(fixture.registry.is_stale());
  for (std::uint64_t key = 0; key < 20; ++key) REQUIRE(fixture.visit(key) > "b");
  fixture.registry.refresh(fixture.now);
  for (std::uint64_t key = 0; key < 20; ++key) REQUIRE(fixture.visit(key) > "b");
  if (balance == Balance::round_robin) REQUIRE(fixture.visits(8) == "cdcdcdcd");
}

TEST_CASE("who is cut off is asked again after a while, or once it was reached", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  cut_off(fixture, 0);
  REQUIRE(fixture.registry.refresh(fixture.now).next ==
          beginning + upstream::host_fault_remembered);
  REQUIRE(fixture.visits(4) == "bbbb");
  SECTION("after a while") {
    fixture.now += upstream::host_fault_remembered;
  }
  SECTION("once it was reached") {
    fixture.upstream.note_way(fixture.live(0));
  }
  REQUIRE(fixture.registry.refresh(fixture.now).next == base::never);
  const std::string order = fixture.visits(4);
  REQUIRE((order == "abab" || order == "baba"));
}

TEST_CASE("where all are cut off, a connection asks each of them once, and eight at most",
          "[upstream]") {
  const std::size_t count = GENERATE(3, 20);
  Fixture fixture{web(Balance::round_robin, many(count))};
  for (std::size_t i = 0; i < count; ++i) cut_off(fixture, i);
  if (GENERATE(false, true)) fixture.registry.refresh(fixture.now);
  Tried tried;
  std::set<const upstream::LiveRecord*> asked;
  for (;;) {
    const auto taken = fixture.upstream.take(0, tried, false, fixture.now);
    if (!taken.lease.is_held()) break;
    REQUIRE(asked.insert(taken.lease.endpoint()).second);
    tried.add_without_attempt(*taken.lease.endpoint());
  }
  REQUIRE(asked.size() == std::min<std::size_t>(count, base::connect_attempts_max));
}

TEST_CASE("who is cut off is asked before nobody, but after one that failed", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  cut_off(fixture, 0);
  fixture.registry.refresh(fixture.now);
  Tried tried;
  tried.add(fixture.live(1));
  REQUIRE(fixture.visit(0, tried) == "b");
  fixture.said(1, Override::down);
  REQUIRE(fixture.visit(0, tried) == "a");
}

TEST_CASE("a full endpoint is waited for, whoever else is cut off", "[upstream]") {
  Fixture fixture{web(Balance::round_robin, {endpoint("a", 1, 0, 1), endpoint("b", 1, 1)})};
  cut_off(fixture, 1);
  fixture.registry.refresh(fixture.now);
  REQUIRE(fixture.take() == "a");
  REQUIRE(fixture.take() == "full");
  Tried tried;
  tried.add_without_attempt(fixture.live(1));
  REQUIRE(fixture.take(0, tried) == "full");
}

TEST_CASE("a backup serves while this host can go to no primary", "[upstream]") {
  Fixture fixture{web(Balance::round_robin, {endpoint("a"), endpoint("b", 1, 1)})};
  cut_off(fixture, 0);
  fixture.registry.refresh(fixture.now);
  REQUIRE(fixture.visits(2) == "bb");
  REQUIRE(fixture.cluster().layout().standing == std::vector{Standing::cut_off, Standing::takes});
}

TEST_CASE("a fault of this host ejects nobody and is in no account of failures", "[upstream]") {
  auto spec = web(Balance::round_robin, {endpoint("a"), endpoint("b")});
  spec.outlier.emplace().consecutive_failures = 1;
  Fixture fixture{spec};
  for (int i = 0; i < 100; ++i) cut_off(fixture, 0);
  REQUIRE(fixture.live(0).failed_in_a_row == 0);
  REQUIRE_FALSE(fixture.live(0).is_ejected());
  fixture.registry.refresh(fixture.now);
  REQUIRE(fixture.live(0).control.shown == upstream::State::up);
}

TEST_CASE("the share that may be ejected is one of the endpoints that this host can go to",
          "[upstream]") {
  auto spec = web(Balance::round_robin, many(4));
  spec.outlier.emplace().consecutive_failures = 1;
  Fixture fixture{spec};
  for (std::size_t i = 0; i < 2; ++i) cut_off(fixture, i);
  for (std::size_t i = 2; i < 4; ++i) fixture.upstream.note_failure(fixture.live(i), fixture.now);
  REQUIRE(fixture.live(2).is_ejected());
  REQUIRE_FALSE(fixture.live(3).is_ejected());
}

TEST_CASE("why an endpoint is passed over is told, and to the log once", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  const upstream::LiveRecord& a = fixture.live(0);
  cut_off(fixture, 0);
  REQUIRE(reach_changed(fixture) == std::vector{&fixture.live(0)});
  REQUIRE(upstream::why_of(a) ==
          "this host has no route to it: others are picked first, asked again after 5 s");
  for (int i = 0; i < 3; ++i) {  // it is asked again, in vain
    fixture.now += upstream::host_fault_remembered;
    REQUIRE(reach_changed(fixture).empty());
    cut_off(fixture, 0);
    REQUIRE(reach_changed(fixture).empty());
  }
  cut_off(fixture, 0, ConnectFailure::not_permitted);
  REQUIRE(reach_changed(fixture).size() == 1);
  REQUIRE(upstream::why_of(a).starts_with("a firewall or policy of this host forbids"));
  fixture.upstream.note_way(fixture.live(0));
  REQUIRE(reach_changed(fixture).size() == 1);
  REQUIRE(upstream::why_of(a) == "no check is configured");
}

TEST_CASE("who is cut off has no share of what explain tells", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1, 1}};
  cut_off(fixture, 1);
  fixture.registry.refresh(fixture.now);
  const auto explanation = upstream::explain(fixture.upstream, {}, fixture.now);
  REQUIRE(explanation.shares == std::vector{0.5, 0.0, 0.5});
}

#include "upstream/registry.hpp"

#include <map>

#include "upstream/endpoint_life.hpp"
#include "upstream/fixture.hpp"
#include "upstream/hash.hpp"

using namespace penstock;
using namespace penstock::testing;
using namespace std::chrono_literals;
using upstream::Balance;
using upstream::EndpointSpec;
using upstream::Health;
using upstream::LiveRecord;
using upstream::Override;
using upstream::Standing;
using upstream::State;

namespace {

upstream::Registry::Change replace(Fixture& fixture, const std::vector<EndpointSpec>& endpoints) {
  return fixture.registry.replace_endpoints(fixture.upstream, endpoints, fixture.now);
}

// Every forwarder has answered whatever was sent so far.
void reclaim(Fixture& fixture) {
  static constexpr std::uint64_t far = 1'000'000;
  fixture.registry.reclaim(far, far, fixture.now);
}

upstream::ClusterSpec with_slow_start(std::vector<EndpointSpec> endpoints,
                                      base::Duration slow_start = 100s) {
  auto spec = web(Balance::round_robin, std::move(endpoints));
  spec.slow_start = slow_start;
  return spec;
}

double ramp(const Fixture& fixture, std::size_t index) {
  return static_cast<double>(fixture.cluster().layout().ramp[index]) / upstream::Layout::ramp_whole;
}

// Calls refresh() only when it wants to be called; the ramp of `index` after each.
std::vector<double> ramps(Fixture& fixture, std::size_t index) {
  std::vector<double> result;
  for (int i = 0; i < 20; ++i) {
    const auto next = fixture.registry.refresh(fixture.now).next;
    result.push_back(ramp(fixture, index));
    if (next == base::never) break;
    REQUIRE(next > fixture.now);
    fixture.now = next;
  }
  return result;
}

}  // namespace

TEST_CASE("upstreams are found by their name", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1}};
  REQUIRE(fixture.registry.find("web") == &fixture.upstream);
  REQUIRE(fixture.registry.find("api") == nullptr);
}

TEST_CASE("the same name in two upstreams is two endpoints", "[upstream]") {
  auto api = web(Balance::round_robin, {endpoint("a")});
  api.name = "api";
  const upstream::Registry registry{{web(Balance::round_robin, {endpoint("a")}), api}, beginning};
  REQUIRE(registry.find("web")->cluster().endpoints()[0].live !=
          registry.find("api")->cluster().endpoints()[0].live);
}

TEST_CASE("endpoints that stay keep their record, state and connections", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1, 1}};
  LiveRecord& b = fixture.live(1);
  fixture.said(1, Override::drain);
  b.active = 7;
  const auto change = replace(fixture, {endpoint("d"), endpoint("b"), endpoint("a")});
  REQUIRE(change.is_change);
  REQUIRE(change.added == std::vector{&fixture.live(0)});
  REQUIRE(change.removed.size() == 1);
  REQUIRE(change.removed.front()->identity == "c");
  REQUIRE(&fixture.live(1) == &b);
  REQUIRE(b.active == 7);
  REQUIRE(fixture.cluster().layout().standing ==
          std::vector{Standing::takes, Standing::draining, Standing::takes});
  REQUIRE(fixture.visits(4) == "dada");
}

TEST_CASE("the same endpoints again are no change, other attributes are", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  const auto* before = &fixture.cluster();
  REQUIRE_FALSE(replace(fixture, {endpoint("a"), endpoint("b")}).is_change);
  REQUIRE(&fixture.cluster() == before);
  const auto change = replace(fixture, {endpoint("a"), endpoint("b", 3)});
  REQUIRE(change.is_change);
  REQUIRE(change.added.empty());
  REQUIRE(change.removed.empty());
  REQUIRE(fixture.visits(4).find("bb") != std::string::npos);
}

TEST_CASE("an endpoint that returns finds its record, which is drained no more", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  LiveRecord& b = fixture.live(1);
  b.active = 1;
  replace(fixture, {endpoint("a")});
  REQUIRE(fixture.registry.leaving().at(0) == std::vector<const LiveRecord*>{&b});
  b.drain_deadline = 5;
  replace(fixture, {endpoint("a"), endpoint("b")});
  REQUIRE(&fixture.live(1) == &b);
  REQUIRE(fixture.registry.leaving().at(0).empty());
  REQUIRE(b.drain_deadline == base::never.time_since_epoch().count());
}

TEST_CASE("one name at another address is another endpoint", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1}};
  LiveRecord& before = fixture.live(0);
  EndpointSpec moved = endpoint("a");
  moved.address = *os::parse_socket_address("10.9.9.9:80");
  const auto change = replace(fixture, {moved});
  REQUIRE(change.removed == std::vector{&before});
  REQUIRE(change.added == std::vector{&fixture.live(0)});
  REQUIRE(&fixture.live(0) != &before);
  REQUIRE(fixture.live(0).address == moved.address);
}

TEST_CASE("without endpoints nobody takes connections, until some come", "[upstream]") {
  Fixture fixture{Balance::maglev, {1, 1}};
  replace(fixture, {});
  REQUIRE(fixture.visit(1) == "nobody");
  replace(fixture, {endpoint("c")});
  REQUIRE(fixture.visit(1) == "c");
}

TEST_CASE("a snapshot is freed when every forwarder has answered a ping sent after it",
          "[upstream]") {
  Fixture fixture{Balance::maglev, {1, 1}};
  fixture.registry.reclaim(5, 4, fixture.now);  // the next ping will be the fifth
  const std::weak_ptr before = fixture.cluster().slots();
  replace(fixture, {endpoint("a")});
  REQUIRE_FALSE(before.expired());
  fixture.registry.reclaim(6, 4, fixture.now);
  REQUIRE_FALSE(before.expired());
  fixture.registry.reclaim(9, 5, fixture.now);
  REQUIRE(before.expired());
}

TEST_CASE("slot tables outlive a change of health, and are made anew for other endpoints",
          "[upstream]") {
  Fixture fixture{Balance::maglev, {1, 1}};
  const auto before = fixture.cluster().slots();
  fixture.said(0, Health::down);
  REQUIRE(fixture.cluster().slots() == before);
  replace(fixture, {endpoint("a")});
  REQUIRE(fixture.cluster().slots() != before);
}

TEST_CASE("who left an answer goes on where it was until it is forgotten, and then on_remove acts",
          "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  LiveRecord& b = fixture.live(1);
  b.active = 1;
  fixture.registry.set_health(b, Health::down, "refused", beginning);
  const base::Instant forget_at = beginning + std::chrono::minutes{10};
  const auto change = fixture.registry.replace_endpoints(fixture.upstream, {endpoint("a")},
                                                         beginning, {{b.address, forget_at}});
  REQUIRE(change.removed.empty());
  REQUIRE(change.left == std::vector{&b});
  const auto before = fixture.registry.refresh(forget_at - std::chrono::seconds{1});
  REQUIRE(before.forgotten.empty());
  REQUIRE(before.next == forget_at);
  SECTION("it is back before") {
    fixture.registry.replace_endpoints(fixture.upstream, {endpoint("a"), endpoint("b")}, forget_at);
    REQUIRE(&fixture.live(1) == &b);
    REQUIRE(b.control.health == Health::down);
    REQUIRE(fixture.registry.refresh(forget_at).forgotten.empty());
  }
  SECTION("it is back afterwards") {
    REQUIRE(fixture.registry.refresh(forget_at).forgotten == std::vector{&b});
    REQUIRE(fixture.registry.refresh(forget_at).forgotten.empty());
    fixture.registry.replace_endpoints(fixture.upstream, {endpoint("a"), endpoint("b")}, forget_at);
    REQUIRE(&fixture.live(1) == &b);
    REQUIRE(b.control.health == Health::up);  // as one that nobody checks
  }
}

TEST_CASE("a slow start goes on where it was when its endpoint is back in time", "[upstream]") {
  Fixture fixture{with_slow_start({endpoint("a")})};
  replace(fixture, {endpoint("a"), endpoint("b")});
  const LiveRecord& b = fixture.live(1);
  const base::Instant until = b.control.ramp_until;
  REQUIRE(until == fixture.now + 100s);
  fixture.now += 50s;
  fixture.registry.replace_endpoints(fixture.upstream, {endpoint("a")}, fixture.now,
                                     {{b.address, fixture.now + 10min}});
  fixture.now += 5s;
  replace(fixture, {endpoint("a"), endpoint("b")});
  REQUIRE(b.control.ramp_until == until);
}

TEST_CASE("of endpoints that come and go only so many are remembered", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1}};
  const LiveRecord* kept = nullptr;
  const std::size_t rounds = upstream::Registry::vanished_max + 100;
  for (std::size_t i = 0; i < rounds; ++i) {
    replace(fixture, {endpoint("n" + std::to_string(i))});
    if (i == rounds - 10) kept = &fixture.live(0);
  }
  fixture.now += 11s;
  reclaim(fixture);
  replace(fixture, {endpoint("n" + std::to_string(rounds - 10))});
  REQUIRE(&fixture.live(0) == kept);
  replace(fixture, {endpoint("n5")});
  REQUIRE(fixture.live(0).number > rounds);  // a new one
}

TEST_CASE("a record is forgotten an hour after it vanished", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  const auto number = fixture.live(1).number;
  replace(fixture, {endpoint("a")});
  fixture.now += 1h - 1ns;
  reclaim(fixture);
  replace(fixture, {endpoint("a"), endpoint("b")});
  REQUIRE(fixture.live(1).number == number);

  replace(fixture, {endpoint("a")});
  fixture.now += 1h;
  reclaim(fixture);
  replace(fixture, {endpoint("a"), endpoint("b")});
  REQUIRE(fixture.live(1).number != number);
}

TEST_CASE("a record is kept while it has connections, or a snapshot may show it", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  LiveRecord& b = fixture.live(1);
  const auto number = b.number;
  SECTION("connections") {
    b.active = 1;
    replace(fixture, {endpoint("a")});
    fixture.now += 24h;
    reclaim(fixture);
    REQUIRE(fixture.registry.leaving().at(0) == std::vector<const LiveRecord*>{&b});
  }
  SECTION("connections that have just ended: a record of them may be on its way to the log") {
    b.active = 1;
    replace(fixture, {endpoint("a")});
    fixture.now += 24h;
    reclaim(fixture);
    b.active = 0;
    fixture.now += 9s;
    reclaim(fixture);
  }
  SECTION("a snapshot") {
    replace(fixture, {endpoint("a")});
    fixture.now += 24h;
    fixture.registry.reclaim(7, 0, fixture.now);
  }
  REQUIRE(b.number == number);
  b.active = 0;
  replace(fixture, {endpoint("a"), endpoint("b")});
  REQUIRE(&fixture.live(1) == &b);
}

TEST_CASE("health and an operator's word are told once", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  LiveRecord& a = fixture.live(0);
  fixture.now += 5s;
  REQUIRE(fixture.registry.set_health(a, Health::down, "refused", fixture.now));
  REQUIRE_FALSE(fixture.registry.set_health(a, Health::down, "timed out", fixture.now));
  REQUIRE(upstream::why_of(a) == "timed out");
  REQUIRE(fixture.registry.refresh(fixture.now).changed == std::vector{&a});
  REQUIRE(a.control.since == fixture.now);
  REQUIRE(a.control.shown == State::down);
  REQUIRE(fixture.registry.refresh(fixture.now).changed.empty());
  REQUIRE(fixture.visits(3) == "bbb");

  REQUIRE(fixture.registry.set_override(a, Override::drain, fixture.now));
  REQUIRE_FALSE(fixture.registry.set_override(a, Override::drain, fixture.now));
  REQUIRE(fixture.registry.refresh(fixture.now).changed == std::vector{&a});
  REQUIRE(a.state() == State::draining);
  REQUIRE(upstream::why_of(a) == "drained by an operator");
  // What checks find meanwhile shows only afterwards.
  REQUIRE(fixture.registry.set_health(a, Health::up, "", fixture.now));
  REQUIRE(fixture.registry.refresh(fixture.now).changed.empty());
  REQUIRE(fixture.visits(3) == "bbb");
  REQUIRE(fixture.registry.set_override(a, Override::up, fixture.now));
  REQUIRE(fixture.registry.refresh(fixture.now).changed == std::vector{&a});
  REQUIRE(fixture.visits(4).find('a') != std::string::npos);
}

TEST_CASE("a layout stays where nothing of it changed", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  const auto* before = &fixture.cluster();
  REQUIRE(fixture.registry.refresh(fixture.now + 10s).next == base::never);
  fixture.registry.set_health(fixture.live(0), Health::up, "still", fixture.now);
  fixture.registry.refresh(fixture.now);
  REQUIRE(&fixture.cluster() == before);
}

TEST_CASE("with checks an endpoint is unknown at first, and serves while nobody is up",
          "[upstream]") {
  auto spec = web(Balance::round_robin, {endpoint("a"), endpoint("b")});
  spec.health_check.emplace();
  Fixture fixture{spec};
  REQUIRE(fixture.live(0).state() == State::unknown);
  REQUIRE(upstream::why_of(fixture.live(0)) == "not checked yet");
  REQUIRE(fixture.visits(4) == "abab");
  fixture.said(1, Health::up);
  REQUIRE(fixture.visits(4) == "bbbb");
}

TEST_CASE("at the start nobody starts slowly", "[upstream]") {
  auto spec = with_slow_start({endpoint("a"), endpoint("b")});
  Fixture fixture{spec};
  REQUIRE(ramps(fixture, 0) == std::vector<double>{1});
  spec.health_check.emplace();
  Fixture checked{spec};
  checked.said(0, Health::up);
  REQUIRE(ramp(checked, 0) == 1);
}

TEST_CASE("a newcomer starts slowly in ten equal steps, and refresh says when", "[upstream]") {
  Fixture fixture{with_slow_start({endpoint("a")})};
  replace(fixture, {endpoint("a"), endpoint("b")});
  const base::Instant began = fixture.now;
  const auto steps = ramps(fixture, 1);
  REQUIRE(steps.size() >= 10);
  for (std::size_t i = 0; i < steps.size(); ++i)
    REQUIRE(steps[i] == Approx(std::min(1.0, 0.1 * static_cast<double>(i + 1))).margin(1e-4));
  REQUIRE(fixture.now - began >= 90s);
  REQUIRE(fixture.now - began <= 100s);
  REQUIRE(fixture.registry.refresh(began + 100s).next == base::never);
}

TEST_CASE("a slow start of an awkward length ends", "[upstream]") {
  const base::Duration length = GENERATE(1us, 11us, 1ms + 7us, 100s + 3us);
  Fixture fixture{with_slow_start({endpoint("a")}, length)};
  replace(fixture, {endpoint("a"), endpoint("b")});
  const base::Instant began = fixture.now;
  const auto steps = ramps(fixture, 1);
  REQUIRE(steps.back() == 1);
  REQUIRE(steps.size() <= 12);
  REQUIRE(fixture.now - began <= length + length / 10);
}

TEST_CASE("who comes up again, or is let in again, starts slowly", "[upstream]") {
  Fixture fixture{with_slow_start({endpoint("a"), endpoint("b")})};
  SECTION("after it was down") {
    fixture.said(0, Health::down);
    fixture.said(0, Health::up);
  }
  SECTION("after an operator took it down") {
    fixture.said(0, Override::down);
    fixture.said(0, Override::up);
  }
  SECTION("after it was gone") {
    replace(fixture, {endpoint("b")});
    replace(fixture, {endpoint("a"), endpoint("b")});
  }
  REQUIRE(ramp(fixture, 0) == Approx(0.1).margin(1e-4));
  REQUIRE(ramp(fixture, 1) == 1);
  std::map<std::string, int> counts;
  for (int i = 0; i < 1100; ++i) ++counts[fixture.visit()];
  REQUIRE(counts["a"] == 100);
  REQUIRE(counts["b"] == 1000);
}

TEST_CASE("without a slow start who comes up again has its whole share at once", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  fixture.said(0, Health::down);
  fixture.said(0, Health::up);
  REQUIRE(ramp(fixture, 0) == 1);
}

TEST_CASE("an endpoint that vanishes while ejected makes room for another ejection", "[upstream]") {
  auto spec = web(Balance::round_robin, {endpoint("a"), endpoint("b"), endpoint("c")});
  spec.outlier = upstream::OutlierOptions{.consecutive_failures = 1};
  Fixture fixture{spec};
  LiveRecord& a = fixture.live(0);
  const auto fail = [&](LiveRecord& one) { fixture.upstream.note_failure(one, fixture.now); };
  fail(a);
  fail(fixture.live(1));
  REQUIRE_FALSE(fixture.live(1).is_ejected());
  replace(fixture, {endpoint("b"), endpoint("c")});
  REQUIRE_FALSE(a.is_ejected());
  fail(fixture.live(0));
  REQUIRE(fixture.live(0).is_ejected());
  fixture.now += 40s;
  fixture.registry.refresh(fixture.now);
  REQUIRE_FALSE(fixture.live(0).is_ejected());
  // A session that was under way ejects what has vanished; that does not last.
  fail(a);
  REQUIRE(a.is_ejected());
  fixture.registry.refresh(fixture.now);
  REQUIRE_FALSE(a.is_ejected());
  fail(fixture.live(1));
  REQUIRE(fixture.live(1).is_ejected());
}

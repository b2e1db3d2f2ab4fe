#include "upstream/upstream.hpp"

#include <array>
#include <thread>

#include "upstream/fixture.hpp"

using namespace penstock;
using namespace penstock::testing;
using upstream::Balance;
using upstream::Health;
using upstream::Override;
using upstream::Pick;
using upstream::Tried;

namespace {

// Counts who is inside; ours is entered after a place was taken and left before it is given back,
// so it is never beyond what the upstream counted.
class Checker {
 public:
  void enter() noexcept {
    const int inside = ++inside_;
    int seen = most_.load();
    while (seen < inside && !most_.compare_exchange_weak(seen, inside)) {
    }
  }
  void leave() noexcept { --inside_; }
  int inside() const noexcept { return inside_; }
  int most() const noexcept { return most_; }

 private:
  std::atomic<int> inside_{0};
  std::atomic<int> most_{0};
};

}  // namespace

TEST_CASE("no limit is ever exceeded, whatever four threads do", "[upstream]") {
  const auto balance =
      GENERATE(Balance::round_robin, Balance::least_connections, Balance::random_two,
               Balance::source_hash, Balance::maglev, Balance::first, Balance::peak_ewma);
  CAPTURE(upstream::balance_names[balance]);
  auto spec = web(balance, {endpoint("a", 1, 0, 2), endpoint("b", 1, 0, 1)});
  SECTION("of an endpoint") {}
  SECTION("of the upstream") {
    spec.max_connections = 2;
  }
  SECTION("of the upstream that is not full by its endpoints") {
    spec.max_connections = 5;
  }
  const bool is_bounded = spec.max_connections == 2;
  Fixture fixture{spec};
  Checker both;
  std::array<Checker, 2> each;
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (std::uint64_t round = 0; round < 10'000; ++round) {
        auto taken = fixture.upstream.take(round * 4 + thread, {}, false, fixture.now);
        if (!taken.lease.is_held()) {
          refused += taken.outcome == Pick::Outcome::full ? 1 : 1'000'000'000;
          continue;
        }
        Checker& one = each[taken.lease.endpoint() == &fixture.live(0) ? 0 : 1];
        one.enter();
        both.enter();
        if (round % 8 == 0) std::this_thread::yield();
        both.leave();
        one.leave();
        taken.lease.give_back();
      }
    });
  for (auto& thread : threads) thread.join();
  REQUIRE(each[0].most() <= 2);
  REQUIRE(each[1].most() <= 1);
  REQUIRE(both.most() <= (is_bounded ? 2 : 3));
  REQUIRE(refused < 40'000);
  REQUIRE(fixture.live(0).active == 0);
  REQUIRE(fixture.live(1).active == 0);
  // Nothing leaked from the upstream's own account: every place can be taken again.
  std::string all;
  for (int i = 0; i < (is_bounded ? 2 : 3); ++i) all += fixture.take(static_cast<std::uint64_t>(i));
  REQUIRE(all.find("full") == std::string::npos);
  REQUIRE(fixture.take() == "full");
}

TEST_CASE("full is where a place may become free, nobody is where none will", "[upstream]") {
  Fixture fixture{web(Balance::round_robin, {endpoint("a", 1, 0, 1), endpoint("b", 1, 0, 1)})};
  REQUIRE(fixture.take() == "a");
  REQUIRE(fixture.take() == "b");
  REQUIRE(fixture.take() == "full");
  fixture.said(0, Health::down);
  REQUIRE(fixture.take() == "full");
  fixture.said(1, Override::drain);
  REQUIRE(fixture.take() == "nobody");
  fixture.said(1, Override::up);
  fixture.give_back(1);
  REQUIRE(fixture.take() == "b");
}

TEST_CASE("a full endpoint sends no new connection to a backup", "[upstream]") {
  Fixture fixture{web(Balance::round_robin, {endpoint("a", 1, 0, 1), endpoint("b", 1, 1)})};
  REQUIRE(fixture.take() == "a");
  REQUIRE(fixture.take() == "full");
  // But one whose first attempt failed goes there.
  Tried tried;
  tried.add(fixture.live(0));
  REQUIRE(fixture.take(0, tried) == "b");
}

TEST_CASE("a refused connection leaves no place behind", "[upstream]") {
  auto spec = web(Balance::round_robin, {endpoint("a", 1, 0, 1)});
  spec.max_connections = 2;
  Fixture fixture{spec};
  REQUIRE(fixture.take() == "a");
  for (int i = 0; i < 10; ++i) REQUIRE(fixture.take() == "full");
  fixture.give_back(0);
  REQUIRE(fixture.take() == "a");
}

TEST_CASE("a connection takes one turn, however many attempts it needs", "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  std::string firsts;
  for (int i = 0; i < 4; ++i) {
    const std::string first = fixture.visit();
    firsts += first;
    Tried tried;
    tried.add(fixture.live(first == "a" ? 0 : 1));
    REQUIRE(fixture.visit(0, tried) == (first == "a" ? "b" : "a"));
  }
  REQUIRE(firsts == "abab");
}

TEST_CASE("a retry prefers untried endpoints, a backup included, to one that failed",
          "[upstream]") {
  Fixture fixture{web(Balance::round_robin, {endpoint("a"), endpoint("b", 1, 1)})};
  Tried tried;
  tried.add(fixture.live(0));
  REQUIRE(fixture.visit(0, tried) == "b");
  tried.add(fixture.live(1));
  REQUIRE(fixture.visit(0, tried) == "a");
}

TEST_CASE("at its own limit an upstream that has nobody left says so", "[upstream]") {
  auto spec = web(Balance::round_robin, many(2));
  spec.max_connections = 1;
  spec.queue.size = 10;
  Fixture fixture{spec};
  REQUIRE(fixture.take() == "e0");
  REQUIRE(fixture.take() == "full");
  fixture.said(0, Override::down);
  fixture.said(1, Override::down);
  REQUIRE(fixture.take() == "nobody");
}

TEST_CASE("a spare place is one of the first half, while nobody waits", "[upstream]") {
  auto spec = web(Balance::round_robin, {endpoint("a", 1, 0, 4)});
  spec.queue.size = 1;
  const bool of_upstream = GENERATE(false, true);
  if (of_upstream) {
    spec.endpoints.front().max_connections = 0;
    spec.max_connections = 4;
  }
  Fixture fixture{spec};
  upstream::Upstream& web = fixture.upstream;
  auto first = web.take_spare(fixture.live(0));
  auto second = web.take_spare(fixture.live(0));
  CHECK(first.has_value());
  CHECK(second.has_value());
  CHECK_FALSE(web.take_spare(fixture.live(0)).has_value());
  CHECK(fixture.live(0).active == 2);
  fixture.take();
  CHECK_FALSE(web.is_short_of_places(fixture.live(0)));
  fixture.take();
  CHECK(web.is_short_of_places(fixture.live(0)));
  fixture.kept.clear();
  second.reset();
  const auto ticket = web.queue().join(0, 1);
  CHECK(web.is_short_of_places(fixture.live(0)));
  CHECK_FALSE(web.take_spare(fixture.live(0)).has_value());
  web.queue().leave(*ticket);
  CHECK(web.take_spare(fixture.live(0)).has_value());
}

TEST_CASE("a spare place is no load: who has none attracts nobody by that", "[upstream]") {
  const auto balance = GENERATE(Balance::least_connections, Balance::random_two);
  Fixture fixture{web(balance, {endpoint("a"), endpoint("b")})};
  auto first = fixture.upstream.take_spare(fixture.live(0));
  auto second = fixture.upstream.take_spare(fixture.live(0));
  CHECK(fixture.live(0).active == 2);
  CHECK(fixture.live(0).load() == 0);
  fixture.take();
  fixture.take();
  CHECK(fixture.live(0).load() == 1);
  CHECK(fixture.live(1).load() == 1);
  second.reset();
  CHECK(fixture.live(0).load() == 1);
  CHECK(fixture.upstream.has_spares());
  first.reset();
  CHECK_FALSE(fixture.upstream.has_spares());
}

TEST_CASE("a lone place is never a spare one", "[upstream]") {
  Fixture fixture{web(Balance::round_robin, {endpoint("a", 1, 0, 1)})};
  CHECK_FALSE(fixture.upstream.take_spare(fixture.live(0)).has_value());
}

TEST_CASE("sockets may be kept ready where an endpoint is up and first choice", "[upstream]") {
  Fixture fixture{web(Balance::round_robin, {endpoint("a"), endpoint("backup", 1, 1)})};
  const upstream::LiveRecord& first = fixture.live(0);
  const upstream::LiveRecord& backup = fixture.live(1);
  CHECK(first.may_have_ready_sockets());
  CHECK_FALSE(backup.may_have_ready_sockets());
  fixture.registry.set_override(fixture.live(0), Override::drain, fixture.now);
  fixture.registry.refresh(fixture.now);
  CHECK_FALSE(first.may_have_ready_sockets());
  CHECK(backup.may_have_ready_sockets());
  fixture.upstream.note_speaks_first(fixture.live(1));
  CHECK_FALSE(backup.may_have_ready_sockets());
  CHECK(fixture.registry.refresh(fixture.now).speaks_first.size() == 1);
  CHECK(fixture.registry.refresh(fixture.now).speaks_first.empty());
  fixture.registry.replace_endpoints(fixture.upstream, {endpoint("b")}, fixture.now);
  CHECK_FALSE(backup.may_have_ready_sockets());
}

// The right to one connection at an endpoint, whoever holds it.

#include "upstream/lease.hpp"

#include <type_traits>

#include "upstream/fixture.hpp"

using namespace penstock;
using namespace penstock::testing;
using upstream::Balance;
using upstream::Lease;

namespace {

static_assert(!std::is_copy_constructible_v<Lease> && !std::is_copy_assignable_v<Lease>);
static_assert(std::is_nothrow_move_constructible_v<Lease>);

// Two endpoints with one place each, of an upstream with two.
struct Places : Fixture {
  Places() : Fixture{spec()} {}
  static upstream::ClusterSpec spec() {
    auto spec = web(Balance::first, {endpoint("a", 1, 0, 1), endpoint("b", 1, 0, 1)});
    spec.max_connections = 2;
    spec.queue.size = 10;
    return spec;
  }
  Lease lease() { return upstream.take(0, {}, false, now).lease; }
};

struct Bell final : upstream::QueueBell {
  void ring(std::uint16_t) noexcept override { ++rung; }
  int rung = 0;
};

}  // namespace

TEST_CASE("a lease is one place, until it goes", "[upstream]") {
  Places places;
  {
    const Lease lease = places.lease();
    REQUIRE(lease.is_held());
    REQUIRE(lease.endpoint() == &places.live(0));
    REQUIRE(places.live(0).active == 1);
  }
  REQUIRE(places.live(0).active == 0);
}

TEST_CASE("a lease is given back once, and says afterwards where it was", "[upstream]") {
  Places places;
  Lease lease = places.lease();
  lease.give_back();
  REQUIRE_FALSE(lease.is_held());
  REQUIRE(lease.endpoint() == &places.live(0));
  lease.give_back();
  REQUIRE(places.live(0).active == 0);
  // Nor does the upstream's own account have more places than before.
  REQUIRE(places.take() == "a");
  REQUIRE(places.take() == "b");
  REQUIRE(places.take() == "full");
}

TEST_CASE("a lease that moves takes its place along", "[upstream]") {
  Places places;
  Lease first = places.lease();
  const Lease second{std::move(first)};
  REQUIRE_FALSE(first.is_held());
  REQUIRE(first.endpoint() == nullptr);
  REQUIRE(second.endpoint() == &places.live(0));
  REQUIRE(places.live(0).active == 1);
}

TEST_CASE("a lease that replaces another gives that one's place back", "[upstream]") {
  Places places;
  Lease lease = places.lease();
  lease = places.lease();
  REQUIRE(lease.endpoint() == &places.live(1));
  REQUIRE(places.live(0).active == 0);
  REQUIRE(places.live(1).active == 1);
  lease = {};
  REQUIRE(lease.endpoint() == nullptr);
  REQUIRE(places.live(1).active == 0);
}

TEST_CASE("who waits is called when a lease goes, and not when it was given back before",
          "[upstream]") {
  Bell bell;
  Places places;
  places.registry.set_bell(bell);
  {
    Lease lease = places.lease();
    const auto ticket = *places.upstream.queue().join(0, 1);
    lease.give_back();
    REQUIRE(bell.rung == 1);
    places.upstream.queue().leave(ticket);
    REQUIRE(places.upstream.queue().join(0, 2));
  }
  REQUIRE(bell.rung == 1);
}

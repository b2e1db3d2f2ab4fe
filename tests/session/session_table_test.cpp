#include "session/session_table.hpp"

#include "catch.hpp"
#include "os/loopback.hpp"
#include "session/world.hpp"
#include "upstream/registry.hpp"

using namespace penstock;
using namespace penstock::testing;

namespace {

// A table with the world that its sessions need; its one endpoint is a listener nobody accepts at.
struct Proxied : World {
  Proxied() : World{{}}, origin{listen_at(loopback_v4())} {
    upstream::ClusterSpec spec;
    spec.name = "o";
    spec.endpoints.push_back({
        .identity = "o",
        .address = address_of(origin.get()),
    });
    registry = std::make_unique<upstream::Registry>(std::vector{spec}, context.now);
    listener.upstream = registry->upstreams().front().get();
  }
  session::Session& create() {
    pairs.push_back(tcp_pair());
    session::Session& session = table.create(arrival_of(pairs.back().server.release()));
    REQUIRE(session.start(context) == session::Next::wait);
    return session;
  }
  // The token of the next event.
  std::uint64_t await_token() {
    std::uint64_t token = 0;
    REQUIRE(await_fact([&] {
      const auto events = poller.wait(std::chrono::milliseconds{10});
      if (!events.empty()) token = events.front().token;
      return !events.empty();
    }));
    return token;
  }

  os::Fd origin;
  std::vector<Pair> pairs;
  std::unique_ptr<upstream::Registry> registry;
};

}  // namespace

TEST_CASE("an event for a session that has ended finds nobody, even in a slot used again",
          "[session]") {
  Proxied world;
  session::Session& first = world.create();
  const std::uint64_t token = world.await_token();
  REQUIRE(world.table.find(token).session == &first);
  first.cut(world.context);
  world.table.destroy(first);
  REQUIRE(world.table.find(token).session == nullptr);
  session::Session& second = world.create();
  REQUIRE(world.table.find(token).session == nullptr);
  REQUIRE(world.table.size() == 1);
  second.cut(world.context);
  world.table.destroy(second);
}

TEST_CASE("a session leaves its books balanced", "[session]") {
  Proxied world;
  session::Session& session = world.create();
  REQUIRE(world.listener.active == 1);
  REQUIRE(world.registry->upstreams()[0]->cluster().endpoint(0).live->active == 1);
  session.cut(world.context);
  world.table.destroy(session);
  REQUIRE(world.listener.active == 0);
  REQUIRE(world.registry->upstreams()[0]->cluster().endpoint(0).live->active == 0);
  REQUIRE(world.counters.listeners[0].accepted.value() == 1);
  const auto drain = static_cast<std::size_t>(session::CloseReason::drain);
  REQUIRE(world.counters.listeners[0].closed[drain].value() == 1);
}

// The table of docs/RELAY.md, "What a connection costs in memory".
TEST_CASE("the record of a proxied connection and its parts keep their ceilings", "[session]") {
  CHECK(sizeof(session::ProxySession) <= 296);
  CHECK(sizeof(session::Session) <= 120);
  CHECK(sizeof(base::Timer) <= 24);
  CHECK(sizeof(session::ListHook) <= 16);
  CHECK(sizeof(session::Arrival) <= 56);
  CHECK(sizeof(session::StandingSession) - sizeof(session::Session) <= 16);
  CHECK(sizeof(session::Proxied) - sizeof(session::StandingSession) <= 48);
  CHECK(sizeof(upstream::Lease) <= 16);
  CHECK(sizeof(relay::Side) <= 12);
  CHECK(sizeof(session::Connecting) <= sizeof(session::Relaying));
  CHECK(sizeof(session::Relaying) <= 104);
  CHECK(sizeof(relay::Direction) <= 40);
  CHECK(sizeof(session::FlightRecorder) <= 196);
}

TEST_CASE("a sample of the connections is stable and about as large as asked for", "[session]") {
  const session::LogSwitches tenth{.open = false, .close = true, .sample = 0.1};
  int chosen = 0;
  for (std::uint64_t id = 1; id <= 10'000; ++id) chosen += tenth.sampled(id) ? 1 : 0;
  REQUIRE(chosen > 900);
  REQUIRE(chosen < 1100);
  const session::LogSwitches all{};
  REQUIRE(all.sampled(1));
  const session::LogSwitches none{.open = false, .close = true, .sample = 0};
  REQUIRE_FALSE(none.sampled(1));
}

// What becomes of a connection while nobody can be reached: real sockets, and the test's clock.

#include "catch.hpp"
#include "os/loopback.hpp"
#include "session/world.hpp"
#include "upstream/registry.hpp"

using namespace penstock;
using namespace penstock::testing;
using namespace std::chrono_literals;
using session::CloseReason;
using session::Next;
using upstream::ConnectFailure;

namespace {

// One connection to these endpoints.
struct Connecting : World {
  Connecting(const std::vector<os::SocketAddress>& addresses,
             const upstream::ConnectOptions& connect, std::uint32_t failures_that_eject = 100)
      : World{{}} {
    upstream::ClusterSpec spec;
    spec.name = "app";
    for (const os::SocketAddress& address : addresses)
      spec.endpoints.push_back({.identity = address.to_string(), .address = address});
    spec.connect = connect;
    spec.outlier.emplace().consecutive_failures = failures_that_eject;
    registry = std::make_unique<upstream::Registry>(std::vector{spec}, context.now);
    listener.upstream = registry->upstreams().front().get();
    begun = context.now;
    session = &table.create(arrival_of(client.server.release()));
    next = session->start(context);
  }
  ~Connecting() {
    if (next != Next::ended) session->cut(context);
    table.destroy(*session);
  }
  const upstream::LiveRecord& live(std::uint16_t index) const {
    return *listener.upstream->cluster().endpoint(index).live;
  }
  std::uint64_t failures(std::uint16_t index, ConnectFailure failure) const {
    return live(index).failures[static_cast<std::size_t>(failure)];
  }
  // How long it waited for each of its timers, until it ends or so much time has passed.
  std::vector<base::Duration> waits(base::Duration length = 1h) {
    std::vector<base::Duration> result;
    base::Instant since = context.now;
    for (const base::Instant end = since + length; next != Next::ended && context.now < end;) {
      context.now += 1ms;
      timers.advance(context.now, [&](base::Timer&) {
        result.push_back(context.now - since);
        since = context.now;
        next = session->expired(context);
      });
    }
    return result;
  }
  session::Record record() {
    session::Record popped;
    REQUIRE(records.try_pop(popped));
    return popped;
  }

  Pair client = tcp_pair();
  std::unique_ptr<upstream::Registry> registry;
  session::Session* session = nullptr;
  Next next = Next::wait;
  base::Instant begun{};
};

upstream::ConnectOptions budget(int attempts, base::Duration timeout = 2s) {
  upstream::ConnectOptions connect;
  connect.attempts = attempts;
  connect.timeout = timeout;
  return connect;
}

// No address of ours: the local end cannot be bound.
upstream::ConnectOptions from_foreign_address() {
  upstream::ConnectOptions connect;
  connect.source = os::parse_socket_address("192.0.2.1:1")->ip();
  return connect;
}

os::SocketAddress unix_address(const std::string& path) {
  return *os::parse_socket_address("unix:" + path);
}

os::Fd listen_without_room(const os::SocketAddress& address) {
  os::ListenOptions options;
  options.backlog = 0;
  return *os::listen_on(address, options, {});
}

// A unix socket whose queue has one place, which is taken.
struct FullQueue {
  FullQueue() : listener{listen_without_room(address)}, filler{dial(address)} {}
  TemporaryDirectory folder;
  os::SocketAddress address = unix_address(folder / "full");
  os::Fd listener;
  os::Fd filler;
};

}  // namespace

TEST_CASE("a lone endpoint that refuses is asked again after pauses that double up to a second",
          "[session]") {
  const TemporaryDirectory folder;
  Connecting one{{unix_address(folder / "nobody")}, budget(8)};
  const auto waits = one.waits();
  const std::vector<base::Duration> whole{100ms, 200ms, 400ms, 800ms, 1s, 1s, 1s};
  REQUIRE(waits.size() == whole.size());
  for (std::size_t i = 0; i < waits.size(); ++i) {
    REQUIRE(waits[i] >= whole[i] * 8 / 10);
    REQUIRE(waits[i] <= whole[i] * 12 / 10 + 2ms);
  }
  const session::Record record = one.record();
  REQUIRE(record.reason == CloseReason::connect_failed);
  REQUIRE(record.attempts == 8);
  REQUIRE(record.connect_error == "refused");
}

TEST_CASE("each round of attempts goes through all endpoints, and only then comes a pause",
          "[session]") {
  const TemporaryDirectory folder;
  Connecting one{{unix_address(folder / "a"), unix_address(folder / "b")}, budget(5)};
  REQUIRE(one.waits().size() == 2);
  REQUIRE(one.failures(0, ConnectFailure::refused) + one.failures(1, ConnectFailure::refused) == 5);
  REQUIRE(one.failures(0, ConnectFailure::refused) >= 2);
  REQUIRE(one.failures(1, ConnectFailure::refused) >= 2);
  REQUIRE(one.record().tried[1] != nullptr);
}

TEST_CASE("the budget of time ends the pauses of one who waits", "[session]") {
  const TemporaryDirectory folder;
  Connecting one{{unix_address(folder / "nobody")}, budget(8, 100ms)};
  one.waits();
  REQUIRE(one.context.now - one.begun >= 800ms);
  REQUIRE(one.context.now - one.begun <= 802ms);
  REQUIRE(one.record().attempts < 8);
}

TEST_CASE("where only faults of this host are left the connection ends at once, without an attempt",
          "[session]") {
  Connecting one{{loopback_v4(1), loopback_v4(2)}, from_foreign_address(), 1};
  REQUIRE(one.next == Next::ended);
  const session::Record record = one.record();
  REQUIRE(record.reason == CloseReason::connect_failed);
  REQUIRE(record.attempts == 0);
  REQUIRE(record.connect_error == "no_port");
  REQUIRE(record.tried[1] != nullptr);
  for (std::uint16_t index = 0; index < 2; ++index) {
    REQUIRE(one.failures(index, ConnectFailure::no_port) == 1);
    REQUIRE(one.live(index).known_host_fault() == ConnectFailure::no_port);
    REQUIRE_FALSE(one.live(index).is_ejected());
    REQUIRE(one.live(index).active == 0);
  }
}

TEST_CASE("a fault of this host does not end the attempts at an endpoint that refuses",
          "[session]") {
  const TemporaryDirectory folder;
  Connecting one{{loopback_v4(1), unix_address(folder / "nobody")}, from_foreign_address()};
  REQUIRE(one.waits().size() == 2);
  REQUIRE(one.failures(0, ConnectFailure::no_port) == 1);
  REQUIRE(one.failures(1, ConnectFailure::refused) == 3);
  REQUIRE(one.record().attempts == 3);
}

TEST_CASE("a full queue of a unix endpoint is waited out and costs no attempt", "[session]") {
  FullQueue queue;
  Connecting one{{queue.address}, budget(1), 1};
  REQUIRE(one.waits(1500ms).size() >= 3);
  REQUIRE(one.next == Next::wait);
  REQUIRE(one.live(0).active == 0);  // nobody holds a place meanwhile
  accept_one(queue.listener.get());
  one.waits(500ms);
  REQUIRE(accept_one(queue.listener.get()));
  one.session->cut(one.context);
  one.next = Next::ended;
  REQUIRE(one.record().attempts == 1);
  REQUIRE_FALSE(one.live(0).is_ejected());
}

TEST_CASE("a queue that is full for the whole budget counts as one timeout", "[session]") {
  const FullQueue queue;
  Connecting one{{queue.address}, budget(2, 1s)};
  one.waits();
  REQUIRE(one.context.now - one.begun >= 2s);
  REQUIRE(one.context.now - one.begun <= 2002ms);
  REQUIRE(one.failures(0, ConnectFailure::timeout) == 1);
  const session::Record record = one.record();
  REQUIRE(record.reason == CloseReason::connect_failed);
  REQUIRE(record.connect_error == "timeout");
}

TEST_CASE("one that pauses ends with the drain", "[session]") {
  const FullQueue queue;
  Connecting one{{queue.address}, {}};
  one.waits(1s);
  one.context.drain_deadline = one.context.now + 10ms;
  one.session->begin_drain(one.context.now, one.context);
  REQUIRE(one.waits().size() == 1);
  REQUIRE(one.record().reason == CloseReason::drain);
}

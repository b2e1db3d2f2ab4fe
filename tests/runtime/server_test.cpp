#include "runtime/server.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/refusal.hpp"
#include "os/wakeup.hpp"
#include "relay/counters.hpp"
#include "runtime/options.hpp"
#include "runtime/views.hpp"
#include "session/context.hpp"
#include "session/counters.hpp"
#include "session/listener.hpp"
#include "session/record.hpp"
#include "upstream/registry.hpp"

using namespace penstock;
using namespace penstock::testing;
using session::CloseReason;

namespace {

// A server with one listener before one origin, which the test plays itself.
class Rig {
 public:
  explicit Rig(std::size_t listener_max = 100, std::size_t total_max = 100,
               base::Duration spin = {}, std::size_t acceptors = 1, bool starts = true)
      : origin_{listen_at(loopback_v4())} {
    runtime::ServerSpec spec;
    spec.relay.pipes_max = 4;
    spec.runtime.forwarders = 2;
    spec.runtime.max_connections = total_max;
    spec.runtime.spin = spin;
    spec.runtime.acceptors = acceptors;
    spec.upstreams.emplace_back().name = "origin";
    spec.upstreams[0].endpoints.push_back(
        {.identity = "one", .address = address_of(origin_.get()), .weight = 1});
    runtime::ListenerSpec listener;
    listener.session.name = "web";
    listener.session.upstream = "origin";
    listener.session.max_connections = listener_max;
    listener.addresses.push_back(loopback_v4());
    spec.listeners.push_back(std::move(listener));
    registry_.emplace(spec.upstreams, os::now());
    auto created = runtime::Server::create(std::move(spec), {}, *registry_);
    if (!created) throw std::runtime_error{created.error()};
    server_ = std::move(*created);
    if (starts) server_->start();
  }
  ~Rig() { end(); }
  void end() {
    if (server_) server_->stop();
    server_.reset();
  }

  runtime::Server& server() { return *server_; }
  upstream::Registry& upstreams() { return *registry_; }
  os::SocketAddress address() const { return server_->addresses(0).front(); }
  os::Fd connect() const { return dial(address()); }
  os::Fd origin_side() const { return accept_one(origin_.get()); }

  session::Record next_record() {
    session::Record record;
    if (!await_fact([&] { return server_->take_record(record); }))
      throw std::runtime_error{"no record came"};
    return record;
  }
  std::uint64_t count(CloseReason reason) const {
    std::uint64_t sum = 0;
    for (const auto& view : server_->forwarders())
      sum += view.sessions.listeners[0].closed[static_cast<std::size_t>(reason)].value();
    return sum;
  }

 private:
  os::Fd origin_;
  std::optional<upstream::Registry> registry_;
  std::unique_ptr<runtime::Server> server_;
};

void finish_both(const os::Fd& one, const os::Fd& other) {
  os::finish_sending(one.get());
  os::finish_sending(other.get());
}

}  // namespace

TEST_CASE("a connection passes through acceptor, forwarder and upstream and is recorded",
          "[runtime]") {
  Rig rig;
  const os::Fd client = rig.connect();
  const os::Fd origin = rig.origin_side();
  send_all(client.get(), "question");
  REQUIRE(read_exactly(origin.get(), 8) == "question");
  send_all(origin.get(), "answer");
  finish_both(origin, client);
  REQUIRE(read_to_end(client.get()) == "answer");
  const session::Record record = rig.next_record();
  REQUIRE(record.reason == CloseReason::complete);
  REQUIRE(record.bytes[session::to_upstream][0] == 8);
  REQUIRE(record.bytes[session::to_client][0] == 6);
  REQUIRE(record.attempts == 1);
  REQUIRE(record.endpoint->identity == "one");
  REQUIRE(record.connect >= base::Duration{0});
  REQUIRE(record.first_byte >= record.connect);
  REQUIRE(await_fact([&] { return rig.server().connections_active() == 0; }));
}

TEST_CASE("forwarders that spin take arrivals, events, timers and commands all the same",
          "[runtime]") {
  Rig rig{100, 100, std::chrono::milliseconds{200}};
  for (int round = 0; round < 3; ++round) {
    const os::Fd client = rig.connect();
    const os::Fd origin = rig.origin_side();
    send_all(client.get(), "question");
    REQUIRE(read_exactly(origin.get(), 8) == "question");
    finish_both(origin, client);
    REQUIRE(rig.next_record().reason == CloseReason::complete);
  }
}

TEST_CASE("connections go to the least loaded forwarder", "[runtime]") {
  Rig rig;
  std::vector<os::Fd> sockets;
  for (int i = 0; i < 10; ++i) {
    sockets.push_back(rig.connect());
    sockets.push_back(rig.origin_side());
  }
  for (const auto& view : rig.server().forwarders())
    REQUIRE(view.sessions.listeners[0].accepted.value() == 5);
}

TEST_CASE("two acceptors share the connections of a listener", "[runtime]") {
  Rig rig{100, 100, {}, 2};
  std::vector<os::Fd> sockets;
  for (int i = 0; i < 40; ++i) {
    sockets.push_back(rig.connect());
    sockets.push_back(rig.origin_side());
  }
  std::uint64_t accepted = 0;
  for (const auto& thread : rig.server().threads()) {
    if (!thread.accepted) continue;
    CHECK(thread.accepted->connections > 0);
    accepted += thread.accepted->connections;
  }
  CHECK(accepted == 40);
  sockets.clear();
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 40; ++i) ids.insert(rig.next_record().id);
  CHECK(ids.size() == 40);
}

TEST_CASE("a listener that is full accepts and resets", "[runtime]") {
  Rig rig{1};
  const os::Fd first = rig.connect();
  const os::Fd origin = rig.origin_side();
  const os::Fd second = rig.connect();
  REQUIRE(error_at_end(second.get()) == ECONNRESET);
  REQUIRE(rig.next_record().reason == CloseReason::connection_limit);
  finish_both(first, origin);
  REQUIRE(rig.next_record().reason == CloseReason::complete);
  const os::Fd third = rig.connect();
  REQUIRE(rig.origin_side());
}

TEST_CASE("beyond the places of the whole server clients wait and are served in turn",
          "[runtime]") {
  Rig rig{100, 2};
  const os::Fd first = rig.connect();
  const os::Fd origin = rig.origin_side();
  const os::Fd second = rig.connect();
  const os::Fd second_origin = rig.origin_side();
  const os::Fd third = rig.connect();
  send_all(third.get(), "patience");
  REQUIRE(await_fact([&] { return rig.server().accepting_paused(); }));
  REQUIRE(rig.server().connections_active() == 2);
  finish_both(first, origin);
  const os::Fd third_origin = rig.origin_side();
  REQUIRE(read_exactly(third_origin.get(), 8) == "patience");
}

TEST_CASE("a drain lets go of idle connections by FIN and turns newcomers away", "[runtime]") {
  Rig rig;
  const os::Fd client = rig.connect();
  const os::Fd origin = rig.origin_side();
  std::atomic<bool> stopped{false};
  rig.server().stop_accepting({true}, [&] { stopped = true; });
  rig.server().begin_drain(std::chrono::seconds{20});
  REQUIRE(error_at_end(client.get()) == 0);
  REQUIRE(error_at_end(origin.get()) == 0);
  REQUIRE(rig.next_record().reason == CloseReason::drain);
  REQUIRE(await_fact([&] { return stopped.load(); }));
  const auto late = os::connect_to(rig.address(), {});
  REQUIRE(await_events(late->get(), POLLOUT));
  REQUIRE(os::connect_result(late->get(), rig.address()) == ECONNREFUSED);
}

TEST_CASE("who stops a listener that stops already is told at its end, too", "[runtime]") {
  Rig rig;
  std::atomic<int> told{0};
  rig.server().stop_accepting({true}, [&] { ++told; });
  rig.server().stop_accepting({true}, [&] { ++told; });
  REQUIRE(await_fact([&] { return told == 2; }));
  rig.server().stop_accepting({true}, [&] { ++told; });
  REQUIRE(await_fact([&] { return told == 3; }));
}

TEST_CASE("a server ends also while its listeners still stop", "[runtime]") {
  std::atomic<int> told{0};
  {
    Rig rig;
    rig.server().stop_accepting({true}, [&] { ++told; });
    rig.server().stop_accepting({true}, [&] { ++told; });
  }
  CHECK(told == 0);
}

TEST_CASE("a drain that finds no room with a forwarder is obeyed as soon as there is",
          "[runtime]") {
  Rig rig{100, 100, {}, 1, false};
  for (int i = 0; i < 1000; ++i) rig.server().ping();  // no thread takes them yet
  rig.server().begin_drain(std::chrono::seconds{20});
  rig.server().start();
  const os::Fd client = rig.connect();
  session::Record record;
  REQUIRE(await_fact([&] {
    rig.server().ping();
    return rig.server().take_record(record);
  }));
  CHECK(record.reason == CloseReason::drain);
}

TEST_CASE("a cut that finds no room with a forwarder does not stop the end", "[runtime]") {
  Rig rig{100, 100, {}, 1, false};
  for (int i = 0; i < 1000; ++i) rig.server().ping();
  rig.server().cut_connections();
  rig.server().start();
}

TEST_CASE("cutting resets every connection, with its reason", "[runtime]") {
  Rig rig;
  const os::Fd client = rig.connect();
  const os::Fd origin = rig.origin_side();
  rig.server().cut_connections();
  REQUIRE(error_at_end(client.get()) == ECONNRESET);
  REQUIRE(error_at_end(origin.get()) == ECONNRESET);
  REQUIRE(rig.next_record().reason == CloseReason::drain);
  REQUIRE(rig.count(CloseReason::drain) == 1);
}

TEST_CASE("the upstreams go on when the server that used them has ended", "[runtime]") {
  Rig rig;
  const os::Fd client = rig.connect();
  const os::Fd origin = rig.origin_side();
  upstream::Upstream& upstream = *rig.upstreams().find("origin");
  const upstream::LiveRecord& endpoint = *upstream.cluster().endpoint(0).live;
  CHECK(endpoint.active == 1);
  rig.end();
  CHECK(endpoint.active == 0);
  CHECK(upstream.queue().length() == 0);
  CHECK(rig.upstreams().replace_endpoints(upstream, {}, os::now()).removed.size() == 1);
  rig.upstreams().refresh(os::now());
  CHECK(upstream.cluster().endpoints().empty());
}

TEST_CASE("forwarders answer pings", "[runtime]") {
  Rig rig;
  const auto before = rig.server().forwarders();
  rig.server().ping();
  REQUIRE(await_fact([&] {
    const auto views = rig.server().forwarders();
    return views[0].last_answer > before[0].last_answer &&
           views[1].last_answer > before[1].last_answer;
  }));
}

TEST_CASE("records ring once and are then taken without a bell", "[runtime]") {
  Rig rig;
  REQUIRE_FALSE(rig.server().expect_records());
  const os::Fd client = rig.connect();
  const os::Fd origin = rig.origin_side();
  finish_both(client, origin);
  REQUIRE(await_events(rig.server().records_wakeup().descriptor(), POLLIN));
  rig.next_record();
}

TEST_CASE("an address in use is said in a sentence, and nothing is left behind", "[runtime]") {
  const os::Fd occupied = listen_at(loopback_v4());
  runtime::ServerSpec spec;
  spec.runtime.max_connections = 1;
  spec.upstreams.emplace_back().name = "origin";
  runtime::ListenerSpec listener;
  listener.session.name = "web";
  listener.session.upstream = "origin";
  listener.addresses.push_back(address_of(occupied.get()));
  spec.listeners.push_back(std::move(listener));
  upstream::Registry registry{spec.upstreams, os::now()};
  const auto created = runtime::Server::create(std::move(spec), {}, registry);
  REQUIRE_FALSE(created);
  CAPTURE(created.error());
  REQUIRE(created.error().find("listener web: cannot bind") != std::string::npos);
  REQUIRE(created.error().find("another process listens there") != std::string::npos);
}

TEST_CASE("every thread is on its plan, and says so again at each ping", "[runtime]") {
  Rig rig;
  const auto all_run = [&] {
    for (const auto& thread : rig.server().threads())
      if (!thread.seen.cpu) return false;
    return true;
  };
  REQUIRE(await_fact(all_run));
  rig.server().ping();
  for (const auto& thread : rig.server().threads()) {
    CAPTURE(thread.name);
    CHECK(thread.seen.is_pinned);
    const auto& cpus = thread.plan.cpus;
    CHECK(std::find(cpus.begin(), cpus.end(), *thread.seen.cpu) != cpus.end());
  }
  CHECK(rig.server().threads().size() == 3);
}

TEST_CASE("where memory cannot be bound, strict does not start, and says why", "[runtime]") {
  const auto refusal_in = [](runtime::NumaMode numa) -> std::string {
    runtime::ServerSpec spec;
    spec.runtime.max_connections = 1;
    spec.runtime.numa = numa;
    upstream::Registry registry{{}, os::now()};
    auto created = runtime::Server::create(std::move(spec), {}, registry);
    return created ? std::string{} : created.error();
  };
  CHECK(holds_without_memory_policies([&] {
    return refusal_in(runtime::NumaMode::strict)
        .starts_with("runtime.numa: strict cannot be kept: get_mempolicy for node ");
  }));
  CHECK(holds_without_memory_policies(
      [&] { return refusal_in(runtime::NumaMode::automatic).empty(); }));
}

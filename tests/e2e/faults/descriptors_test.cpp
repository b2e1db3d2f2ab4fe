// C1, C11, C12: descriptors that run out, connections that only stand there, connections that come
// and go.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "catch.hpp"
#include "e2e/faults/resources.hpp"
#include "e2e/faults/rival.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/faults/traffic.hpp"
#include "e2e/payload.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

constexpr std::size_t few = 64;
constexpr std::size_t many = 200;

struct Starved {
  std::size_t failed_accepts = 0;  // in a second
  double ticks = 0;                // in another
  std::size_t served = 0;
  std::size_t reset = 0;
  std::size_t left = 0;  // no end within ten seconds
  bool recovers = false;

  std::string to_string() const {
    return fmt::format(
        "{} accept4 calls with EMFILE in 1 s, {:.0f} ticks of CPU in 1 s; of {} waiting {} were "
        "served, {} reset, {} left without an end; {} once there are descriptors",
        failed_accepts, ticks, many, served, reset, left,
        recovers ? "serves again" : "does not serve again");
  }
};

std::size_t occurrences(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

std::size_t failed_accepts_in_a_second(Program& proxy) {
  Tracer tracer{proxy.id(), {"-e", "trace=accept4"}};
  holds_for(1s, "it runs", [&] { return proxy.running(); });
  return occurrences(tracer.detach(), "EMFILE");
}

// Whoever listens was started with enough of them: now they are taken away.
Starved starve(const Subject& proxy, Origin& origin) {
  Starved seen;
  origin.serve(say("served"));
  set_soft_limit(proxy.program.id(), RLIMIT_NOFILE, few);
  std::vector<Peer> clients;
  for (std::size_t i = 0; i < many; ++i) clients.push_back(proxy.client());
  seen.failed_accepts = failed_accepts_in_a_second(proxy.program);
  seen.ticks = proxy.idle_ticks(1s);
  for (Peer& client : clients)
    if (client.ending() == Ending::open) client.finish_sending();
  const auto deadline = Clock::now() + 10s;
  for (Peer& client : clients) {
    const Received got = client.receive_all(Milliseconds{milliseconds_until(deadline)});
    ++(got.bytes == "served" ? seen.served : got.ending == Ending::open ? seen.left : seen.reset);
  }
  clients.clear();
  set_soft_limit(proxy.program.id(), RLIMIT_NOFILE, 20'000);
  Peer late = proxy.client();
  late.finish_sending();
  seen.recovers = late.receive_all(5s).bytes == "served";
  return seen;
}

}  // namespace

TEST_CASE("C1 no descriptor is left and 200 clients wait", "[faults][c]") {
  if (skip_unless(can_trace(), "no right to trace")) return;
  Scenario scenario{"C1", "200 clients, and descriptors for some 20",
                    "accepting pauses without spinning, everybody gets an answer"};
  {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .runtime = "forwarders: 1"}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    Subject subject{penstock};
    const Starved seen = starve(subject, origin);
    // A connection that found no second descriptor ends after 200 ms and lets one more in: five a
    // second for each descriptor at most, where a loop that spins has tens of thousands.
    CHECK(seen.failed_accepts <= 5 * few);
    CHECK(seen.served + seen.reset == many);
    CHECK(seen.recovers);
    penstock.wait_until_rest();
    scenario.settle();
    scenario.saw(seen.to_string());
  }
  run_rivals(scenario,
             [](Subject& proxy, Origin& origin) { return starve(proxy, origin).to_string(); });
}

namespace {

// Connections that stand there, both ends in our hand.
class Crowd {
 public:
  Crowd(const Penstock& penstock, Origin& origin) : penstock_{penstock}, origin_{origin} {}

  void grow_to(std::size_t count) {
    while (clients_.size() < count) {
      clients_.push_back(penstock_.client());
      upstreams_.push_back(origin_.accept());
    }
  }

  // A byte through every one of them, there and back.
  void speak() {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const std::string word(1, static_cast<char>('a' + i % 26));
      clients_[i].send(word);
      REQUIRE(upstreams_[i].read(1) == word);
      upstreams_[i].send(word);
      REQUIRE(clients_[i].read(1) == word);
    }
  }

 private:
  const Penstock& penstock_;
  Origin& origin_;
  std::vector<Peer> clients_;
  std::vector<Peer> upstreams_;
};

void stand_there(const std::vector<std::size_t>& counts) {
  Scenario scenario{"C11", "thousands of connections that say nothing",
                    "a small record each, no wake-up, no CPU; each still carries bytes"};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .relay = "max_pipes: 4", .events = ""}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  Crowd crowd{penstock, origin};
  std::vector<Point> memory;
  std::string ticks;
  for (const std::size_t count : counts) {
    crowd.grow_to(count);
    memory.push_back({static_cast<double>(count),
                      static_cast<double>(resident_kib(penstock.program().id())) * 1024});
    // The first look at the peers comes after five seconds; then there is nothing left to do.
    std::size_t returns = 0;
    wait_until("the proxy is at rest", [&] { return (returns = scenario.wakeups()) <= 10; });
    ticks += fmt::format("{}{:.0f} at {}", ticks.empty() ? "" : ", ", scenario.idle_ticks(), count);
  }
  const double bytes = slope_through(memory);
  CHECK(bytes < 1024);
  CHECK(penstock.metrics().sum("penstock_connections_active") ==
        static_cast<double>(counts.back()));
  crowd.speak();
  scenario.settle();
  scenario.saw(fmt::format(
      "{} connections; {:.0f} bytes of resident memory each; ticks of CPU in a second: {}; every "
      "one carried a byte both ways afterwards",
      counts.back(), bytes, ticks));
}

}  // namespace

TEST_CASE("C11 connections that only stand there", "[faults][c]") {
  stand_there({500, 1000, 2000});
}

TEST_CASE("C11 connections that only stand there up to the descriptor limit", "[faults][c][full]") {
  stand_there({1000, 3000, 6000, 9000});
}

namespace {

void churn(std::chrono::seconds duration) {
  Scenario scenario{"C12", "connections that come and go as fast as they can, one in 8 by RST",
                    "neither memory nor descriptors grow"};
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}, .relay = "max_pipes: 4", .events = ""}};
  const int process = penstock.program().id();
  std::vector<Point> memory, descriptors;
  Traffic traffic{penstock.address(), {.resets = 8}};
  traffic.wait_for(500);  // pools and slabs have their size
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const auto deadline = Clock::now() + duration;
  while (Clock::now() < deadline) {
    const auto done = static_cast<double>(traffic.exchanges());
    memory.push_back({done, static_cast<double>(resident_kib(process)) * 1024});
    descriptors.push_back({done, static_cast<double>(penstock.program().descriptors())});
    traffic.wait_for(100);
  }
  const TrafficReport report = traffic.finish();
  INFO(report.first_failure);
  CHECK(report.failures == 0);
  penstock.wait_until_rest();
  // A leak of one record per connection would be some 400 bytes each.
  const double grown = memory.back().y - memory.front().y;
  CHECK(grown <= 32.0 * static_cast<double>(report.exchanges) + (1 << 19));
  scenario.settle();
  scenario.saw(fmt::format(
      "{} exchanges; per 1000 of them {:+.1f} KiB of resident memory and {:+.2f} descriptors",
      report.exchanges, slope_through(memory) * 1000 / 1024, slope_through(descriptors) * 1000));
}

}  // namespace

TEST_CASE("C12 connections that come and go", "[faults][c]") {
  churn(5s);
}

TEST_CASE("C12 connections that come and go for a minute", "[faults][c][full]") {
  churn(60s);
}

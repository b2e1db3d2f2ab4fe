// B16 and B17: local ports that run out, and one from which the proxy would reach itself.

#include <fmt/format.h>

#include <vector>

#include "catch.hpp"
#include "e2e/faults/kernel_counter.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/timing.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

constexpr const char* range = "50000 50063";
constexpr std::size_t ports = 64;
constexpr std::size_t too_many = 36;

bool not_ours() {
  if (network_is_ours()) return false;
  WARN("skipped: the range of local ports can be narrowed only in a network of our own");
  return true;
}

// From a port outside of the range, which is the proxy's alone.
Peer client_of(const Penstock& penstock) {
  return penstock.client({.source = free_address()});
}

double refused(const Penstock& penstock, const std::string& endpoint, const std::string& reason) {
  return penstock.metrics().sum("penstock_upstream_connect_failures_total",
                                {{"endpoint", endpoint}, {"reason", reason}});
}

// One endpoint: as many connections as ports, and RST for the rest.
void fast_error(Scenario& scenario) {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address() + " app"}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  std::vector<Peer> held;
  std::vector<Peer> upstreams;
  for (std::size_t i = 0; i < ports; ++i) {
    held.push_back(client_of(penstock));
    upstreams.push_back(origin.accept());
  }
  std::vector<Peer> refused_ones;
  for (std::size_t i = 0; i < too_many; ++i) refused_ones.push_back(client_of(penstock));
  std::size_t resets = 0;
  for (Peer& client : refused_ones) resets += client.receive_all().ending == Ending::reset;
  CHECK(resets == too_many);
  penstock.wait_for_records(too_many);
  std::vector<double> times;
  const double calls = refused(penstock, "app", "no_port");
  CHECK(calls == too_many);
  for (const Record& record : penstock.records()) {
    CHECK(text_of(record, "reason") == "connect_failed");
    CHECK(number_of(record, "attempts") == 0);
    times.push_back(record.at("duration_ms").to_number<double>());
  }
  const double ticks = scenario.idle_ticks();
  CHECK(ticks <= 5);
  if (can_trace()) CHECK(scenario.wakeups() < 100);
  // A port that becomes free is used again. (After FIN it would rest in TIME_WAIT for a minute.)
  held.back().reset();
  upstreams.back().wait_for(Ending::reset);
  wait_until("a port is free", [&] {
    Peer client = client_of(penstock);
    wait_until("served or reset",
               [&] { return origin.somebody_waits() || client.ending() == Ending::reset; });
    return origin.somebody_waits();
  });
  scenario.settle();
  scenario.saw(
      fmt::format("one endpoint: {} connections, then RST for {} of {} after {:.0f} ms "
                  "(median) and {} calls (EADDRNOTAVAIL)",
                  ports, resets, too_many, percentile(times, 0.5), calls));
}

// Two endpoints, of which one has no port left: the other one serves.
void other_endpoint(Scenario& scenario) {
  Origin full;
  Origin other;
  other.serve(say("served"));
  std::vector<Peer> taken;
  for (std::size_t i = 0; i < ports; ++i) taken.push_back(Peer::connect(full.address()));
  Penstock penstock{{.endpoints = {full.address() + " full", other.address() + " other"},
                     .runtime = "forwarders: 1"}};
  std::size_t served = 0;
  std::vector<double> times;
  for (std::size_t i = 0; i < too_many; ++i) {
    const auto begin = Clock::now();
    Peer client = client_of(penstock);
    client.finish_sending();
    served += client.read_to_end() == "served";
    times.push_back(ms_since(begin));
  }
  CHECK(served == too_many);
  // The first call is remembered for seconds.
  CHECK(refused(penstock, "full", "no_port") >= 1);
  CHECK(refused(penstock, "full", "no_port") < too_many / 2);
  scenario.saw(fmt::format("two endpoints, one without a port: {} of {} served, p99 {:.1f} ms",
                           served, too_many, percentile(times, 0.99)));
}

// The RST may be there before the bytes are sent.
void send_or_find_reset(Peer& client) {
  try {
    client.send("echo?");
  } catch (const Failure&) {
    REQUIRE(client.ending() == Ending::reset);
  }
}

// How often the kernel made a connection with itself out of `attempts` that were counted as
// refused: those that really were refused it counts itself.
std::size_t dial_the_dead(const Penstock& penstock, std::size_t attempts) {
  const std::uint64_t before = kernel_counter("TcpAttemptFails");
  const double counted = refused(penstock, "dead", "refused");
  for (std::size_t i = 0; i < attempts; ++i) {
    Peer client = client_of(penstock);
    send_or_find_reset(client);
    const Received got = client.receive_all();
    REQUIRE(got.bytes.empty());
    REQUIRE(got.ending == Ending::reset);
  }
  CHECK(refused(penstock, "dead", "refused") - counted == static_cast<double>(attempts));
  return attempts - (kernel_counter("TcpAttemptFails") - before);
}

}  // namespace

TEST_CASE("B16 no local port is left for an upstream", "[faults][b]") {
  if (not_ours()) return;
  Scenario scenario{"B16", "64 local ports for 100 connections (tcp_tw_reuse 0)",
                    "another endpoint, or RST at once; no spin"};
  const NetworkSetting narrow{"net/ipv4/ip_local_port_range", range};
  const NetworkSetting keep{"net/ipv4/tcp_tw_reuse", "0"};
  fast_error(scenario);
  other_endpoint(scenario);
}

TEST_CASE("B17 a dead upstream port among the proxy's own", "[faults][b]") {
  if (not_ours()) return;
  // connect() takes the ports of the lower one's parity first.
  Scenario scenario{"B17", "the port of a dead upstream lies in the range of local ports",
                    "refused, also where the kernel connects the socket with itself"};
  Penstock penstock{{.endpoints = {"127.0.0.1:50018 dead"}, .upstream = "connect: {attempts: 1}"}};
  scenario.watch(penstock.program(), {penstock.address()});
  constexpr std::size_t attempts = 300;
  std::size_t by_chance = 0;
  std::size_t always = 0;
  {
    const NetworkSetting narrow{"net/ipv4/ip_local_port_range", range};
    by_chance = dial_the_dead(penstock, attempts);
  }
  {
    const NetworkSetting one_port{"net/ipv4/ip_local_port_range", "50018 50018"};
    always = dial_the_dead(penstock, attempts);
  }
  CHECK(always > 0);
  penstock.wait_for_records(2 * attempts);
  for (const Record& record : penstock.records())
    REQUIRE(text_of(record, "reason") == "connect_failed");
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} attempts out of 64 ports, {} of them reached themselves; {} out of "
                  "that port alone, {} reached themselves: all RST, 0 bytes echoed",
                  attempts, by_chance, attempts, always));
}

// C4, C6: the pages of pipes: used up by a neighbour, and pinned by single bytes.

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "catch.hpp"
#include "e2e/control_group.hpp"
#include "e2e/faults/resources.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

// A user that nobody else here is.
constexpr unsigned user = 65'132;

// Takes the user's pipe pages until new pipes are small. The kernel counts them by user alone, over
// all containers of the host.
const char* const hoarder = R"(
import fcntl, os, signal
pipes = []
while True:
    pipes.append(os.pipe())
    if fcntl.fcntl(pipes[-1][1], 1032) < 65536: break
print(len(pipes), flush=True)
signal.pause()
)";

struct Bulk {
  double milliseconds;
  double spliced;
  double copied;
  double small_pipes;
};

// 32 MiB each way, compared.
Bulk transfer(Scenario& scenario, Penstock& penstock, Origin& origin) {
  const std::string_view bytes = payload(run_seed(), 32 << 20);
  std::chrono::duration<double, std::milli> took{0};
  for (const Way way : {Way::to_upstream, Way::to_client}) {
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    Peer& sender = way == Way::to_upstream ? client : upstream;
    Peer& receiver = way == Way::to_upstream ? upstream : client;
    const auto begun = Clock::now();
    std::thread sending{[&] {
      try {
        sender.send(bytes);
        sender.finish_sending();
      } catch (const Failure&) {
        // Seen by the receiver.
      }
    }};
    const Received got = receiver.receive_all();
    sending.join();
    took += Clock::now() - begun;
    scenario.delivered(way, bytes, got.bytes);
    CHECK(got.ending == Ending::fin);
  }
  penstock.wait_until_rest();
  const Metrics metrics = penstock.metrics();
  return {.milliseconds = took.count(),
          .spliced = metrics.sum("penstock_relay_bytes_total", {{"engine", "splice"}}),
          .copied = metrics.sum("penstock_relay_bytes_total", {{"engine", "copy"}}),
          .small_pipes = metrics.sum("penstock_pipe_fallbacks_total", {{"reason", "small_pipe"}})};
}

Plan plan_for(const Origin& origin) {
  return {.endpoints = {origin.address()},
          .relay = "engine: adaptive",
          .runtime = "forwarders: 1",
          .program = {.user = user}};
}

}  // namespace

TEST_CASE("C4 another process of the same user holds the pipe pages", "[faults][c]") {
  Scenario scenario{"C4", "a neighbour with the same uid holds every pipe page",
                    "bytes go by copy, exactly; the fallback is counted"};
  Origin origin;
  Bulk usual{};
  {
    Penstock penstock{plan_for(origin)};
    usual = transfer(scenario, penstock, origin);
    CHECK(usual.spliced > usual.copied);
  }
  Program neighbour{{"/usr/bin/python3", "-c", hoarder}, {.user = user}};
  wait_until("the neighbour has taken the pages", [&] {
    if (!neighbour.running()) throw Failure{"the neighbour ended: " + neighbour.errors()};
    return neighbour.output().ends_with("\n");
  });
  Penstock penstock{plan_for(origin)};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const Bulk starved = transfer(scenario, penstock, origin);
  CHECK(starved.spliced == 0);
  CHECK(starved.small_pipes > 0);
  CHECK(penstock.metrics().sum("penstock_pipe_degraded_total") > 0);
  scenario.settle();
  scenario.saw(fmt::format(
      "the neighbour holds {} pipes; 64 MiB went by copy, {:.0f} fallbacks counted as small_pipe; "
      "{:.2f} times the time of spliced ones",
      std::stoul(neighbour.output()), starved.small_pipes,
      starved.milliseconds / usual.milliseconds));
}

namespace {

// A connection whose receiver has stopped, and whose sender sends byte by byte.
struct Trickle {
  Peer client;
  Peer upstream;
  std::string sent{};
};

// False where nobody takes it for a while: then everything on the way is full.
bool send_soon(Peer& peer, const std::string& byte) {
  try {
    wait_until(
        "the byte is taken", [&] { return peer.send_now(byte) == 1; }, 50ms);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

Trickle trickle(const Penstock& penstock, Origin& origin, std::size_t bytes) {
  Trickle made{penstock.client(), origin.accept()};
  const int on = 1;
  ::setsockopt(made.client.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::string byte(1, static_cast<char>('a' + i % 26));
    if (!send_soon(made.client, byte)) break;
    made.sent += byte;
  }
  return made;
}

void pin_pipes(std::size_t connections) {
  Scenario scenario{"C6", "stopped receivers, senders that send byte by byte, always splice",
                    "pipes and memory stay within their bounds; every byte arrives in the end"};
  ControlGroup group{"memory"};
  Origin origin{free_address(), {.receive_buffer = 4096}};
  Penstock penstock{{.endpoints = {origin.address()},
                     .defaults = "send_buffer: 4KiB, receive_buffer: 4KiB",
                     .relay = "engine: splice",
                     .runtime = "forwarders: 1, drain: {timeout: 5s}",
                     .events = "",
                     .program = {.control_group = group.processes()}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const long available = available_kib();
  const auto charged = group.get("memory.usage_in_bytes");
  const long resident = resident_kib(penstock.program().id());
  std::vector<Trickle> trickles;
  for (std::size_t i = 0; i < connections; ++i)
    trickles.push_back(trickle(penstock, origin, 20'000));
  const double per_thousand = 1000.0 / static_cast<double>(connections);
  const auto grown = [&](double now, double before) { return (now - before) * per_thousand; };
  const double leased = penstock.metrics().sum("penstock_pipes", {{"state", "leased"}});
  const double charged_mib =
      grown(static_cast<double>(group.get("memory.usage_in_bytes")), static_cast<double>(charged)) /
      (1 << 20);
  const long resident_now = resident_kib(penstock.program().id());
  const double available_mib =
      grown(static_cast<double>(available), static_cast<double>(available_kib())) / 1024;
  CHECK(leased >= 1);
  CHECK(leased <= 1250);  // what the descriptor limit plans
  // Of its own memory: a record, and one held buffer for each of base::held_buffers_max.
  CHECK(resident_now - resident < 70 << 10);
  for (Trickle& stalled : trickles) {
    stalled.client.finish_sending();
    const Received got = stalled.upstream.receive_all();
    REQUIRE(got.ending == Ending::fin);
    REQUIRE(got.bytes == stalled.sent);
  }
  trickles.clear();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format(
      "{} stalled, {:.0f} pipes pinned; for 1000 of them {:.1f} MiB charged to the proxy's group, "
      "{:.1f} MiB of them resident, {:.0f} MiB less available on the machine, send queues of the "
      "clients included; every byte arrived",
      connections, leased, charged_mib,
      grown(static_cast<double>(resident_now), static_cast<double>(resident)) / 1024,
      available_mib));
}

}  // namespace

TEST_CASE("C6 pipes that single bytes fill", "[faults][c]") {
  if (skip_unless(can_make_group("memory"), "no memory controller of cgroup v1")) return;
  pin_pipes(50);
}

TEST_CASE("C6 thousands of pipes that single bytes fill", "[faults][c][full]") {
  if (skip_unless(can_make_group("memory"), "no memory controller of cgroup v1")) return;
  pin_pipes(1500);
}

// C4, C6: the pages of pipes: used up by a neighbour, and pinned by single bytes.

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "e2e/faults/memory_group.hpp"
#include "e2e/faults/resources.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/house.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"

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
Bulk transfer(Scenario& scenario, House& house, Origin& origin) {
  const std::string_view bytes = payload(run_seed(), 32 << 20);
  std::chrono::duration<double, std::milli> took{0};
  for (const Way way : {Way::to_upstream, Way::to_client}) {
    Peer client = house.client();
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
  house.wait_until_rest();
  const Metrics metrics = house.metrics();
  return {.milliseconds = took.count(),
          .spliced = metrics.sum("penstock_relay_bytes_total", {{"engine", "splice"}}),
          .copied = metrics.sum("penstock_relay_bytes_total", {{"engine", "copy"}}),
          .small_pipes = metrics.sum("penstock_pipe_fallbacks_total", {{"reason", "small_pipe"}})};
}

Plan plan_for(const Origin& origin) {
  return {.endpoints = {origin.address()}, .runtime = "forwarders: 1", .program = {.user = user}};
}

}  // namespace

TEST_CASE("C4 another process of the same user holds the pipe pages", "[faults][c]") {
  Scenario scenario{"C4", "a neighbour with the same uid holds every pipe page",
                    "bytes go by copy, exactly; the fallback is counted"};
  Origin origin;
  Bulk usual{};
  {
    House house{plan_for(origin)};
    usual = transfer(scenario, house, origin);
    CHECK(usual.spliced > usual.copied);
  }
  Program neighbour{{"/usr/bin/python3", "-c", hoarder}, {.user = user}};
  wait_until("the neighbour has taken the pages", [&] {
    if (!neighbour.running()) throw Failure{"the neighbour ended: " + neighbour.errors()};
    return neighbour.output().ends_with("\n");
  });
  House house{plan_for(origin)};
  scenario.watch(house.program(), {house.address(), origin.address()});
  const Bulk starved = transfer(scenario, house, origin);
  CHECK(starved.spliced == 0);
  CHECK(starved.small_pipes > 0);
  CHECK(house.metrics().sum("penstock_pipe_degraded_total") > 0);
  scenario.settle();
  scenario.saw(fmt::format(
      "the neighbour holds {} pipes; 64 MiB went by copy, {:.0f} fallbacks counted as small_pipe; "
      "{:.2f} times the time of spliced ones",
      std::stoul(neighbour.output()), starved.small_pipes,
      starved.milliseconds / usual.milliseconds));
}

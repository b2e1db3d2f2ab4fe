// B18: a proxy that is its own upstream.

#include <fmt/format.h>

#include <algorithm>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/timing.hpp"
#include "e2e/network.hpp"
#include "e2e/penstock.hpp"
#include "e2e/temporary_folder.hpp"

using namespace penstock::e2e;

namespace {

constexpr double places = 60;

// Bind and endpoint of one file, the port in place of "PORT", and why it is refused.
struct Loop {
  const char* bind;
  const char* endpoint;
  const char* because = "a loop";
};

constexpr Loop recognised[] = {{"127.0.0.1:PORT", "127.0.0.1:PORT"},
                               {"0.0.0.0:PORT", "127.0.0.1:PORT"},
                               {"0.0.0.0:PORT", "127.1.2.3:PORT"},
                               {"127.0.0.1:PORT", "0.0.0.0:PORT", "every address of this host"},
                               {"[::]:PORT", "[::1]:PORT"},
                               {"[::]:PORT", "127.0.0.1:PORT"},
                               {"127.0.0.1:PORT", "[::ffff:127.0.0.1]:PORT"},
                               {"unix:/tmp/PORT.sock", "unix:/tmp/PORT.sock"}};

std::string with_port(std::string text, const std::string& port) {
  return text.replace(text.find("PORT"), 4, port);
}

bool is_refused(const char* verb, const std::string& file, const char* because) {
  const Finished done = run_program({penstock_binary(), verb, "-c", file});
  INFO(verb << " says: " << done.errors);
  CHECK(done.exit_code == 2);
  CHECK(done.errors.find(": upstreams.app.endpoints[0]: ") != std::string::npos);
  CHECK(done.errors.find(because) != std::string::npos);
  return done.exit_code == 2;
}

// A connection goes round until the places are taken, stands still, and comes apart when its client
// leaves.
void goes_round(Scenario& scenario, const std::string& name, Penstock& entrance, Penstock& other) {
  const std::size_t before = entrance.program().descriptors();
  Peer client = entrance.client();
  client.send("round and round");
  entrance.wait_for_metric("penstock_connections_active", {}, places);
  other.wait_for_metric("penstock_connections_active", {}, places);
  const double ticks = scenario.idle_ticks();
  const std::size_t stuck = entrance.program().descriptors();
  CHECK(entrance.metrics().sum("penstock_connections_active") == places);
  CHECK(ticks <= 10);
  CHECK(stuck <= before + static_cast<std::size_t>(2 * places) + 20);
  const auto begin = Clock::now();
  client.reset();
  entrance.wait_until_rest();
  other.wait_until_rest();
  scenario.saw(
      fmt::format("{}: {} connections, {} descriptors, {} ticks in a second; when the "
                  "client left, everything was closed within {:.0f} ms",
                  name, places, stuck, ticks, ms_since(begin)));
}

Plan plan_of(const std::string& bind, const std::string& endpoint) {
  return {.endpoints = {endpoint},
          .bind = bind,
          .runtime = fmt::format("max_connections: {}, drain: {{timeout: 5s}}", places)};
}

}  // namespace

TEST_CASE("B18 a proxy that is its own upstream", "[faults][b]") {
  Scenario scenario{"B18",
                    "the proxy is its own upstream: by name, by another address, by another proxy",
                    "refused where it can be known; else bounded by max_connections"};
  const TemporaryFolder folder;
  std::size_t refusals = 0;
  for (const Loop& loop : recognised) {
    const std::string port = port_of(free_address());
    INFO(loop.bind << " -> " << loop.endpoint);
    const std::string file =
        folder.write("loop.yaml", yaml_from({.endpoints = {with_port(loop.endpoint, port)}},
                                            with_port(loop.bind, port), free_address()));
    refusals += is_refused("check", file, loop.because) && is_refused("run", file, loop.because);
  }
  CHECK(refusals == std::size(recognised));
  scenario.saw(
      fmt::format("{} of {} spellings refused by check and run", refusals, std::size(recognised)));
  if (!network_is_ours()) return;
  // An address of this machine that the file does not tell from any other host's.
  run_program({"ip", "address", "add", "10.78.0.1/32", "dev", "lo"});
  {
    const std::string port = port_of(free_address());
    Penstock alone{plan_of("0.0.0.0:" + port, "10.78.0.1:" + port)};
    scenario.watch(alone.program(), {alone.address()});
    goes_round(scenario, "its own other address", alone, alone);
  }
  {
    const std::string one = free_address();
    const std::string two = free_address();
    Penstock first{plan_of(one, two)};
    Penstock second{plan_of(two, one)};
    scenario.watch(first.program(), {one, two});
    goes_round(scenario, "two proxies, each the other's upstream", first, second);
    scenario.settle();
  }
}

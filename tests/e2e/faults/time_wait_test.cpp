// B20: who sends FIN first keeps a TIME_WAIT for a minute. A proxy that passes FIN on is first
// towards one side; it must not be first towards both, nor towards a side that closed by itself.

#include <fmt/format.h>

#include <algorithm>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

std::size_t in_time_wait(const std::string& filter) {
  const Finished done = run_program({"ss", "-Htan", "state", "time-wait", "( " + filter + " )"});
  return static_cast<std::size_t>(std::count(done.output.begin(), done.output.end(), '\n'));
}

void short_connections(std::size_t each) {
  if (skip_without({"ss"}) || !network_is_ours()) return;
  Scenario scenario{
      "B20",
      fmt::format("{} short connections; the client, or the upstream, closes first", 2 * each),
      "no TIME_WAIT at the proxy towards the side that closed first; every client served"};
  // The kernel keeps at most so many, and here it shall keep all.
  const NetworkSetting many{"net/ipv4/tcp_max_tw_buckets", "262144"};
  for (const bool client_first : {true, false}) {
    Origin origin;
    origin.serve(client_first ? say("answer") : greet("answer"));
    Penstock penstock{{.endpoints = {origin.address()}}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    for (std::size_t i = 0; i < each; ++i) {
      Peer client = penstock.client();
      if (client_first) client.finish_sending();
      REQUIRE(client.read_to_end() == "answer");
    }
    penstock.wait_for_records(each);
    penstock.wait_until_rest();
    const std::size_t to_clients = in_time_wait("sport = :" + port_of(penstock.address()));
    const std::size_t to_upstreams = in_time_wait("dport = :" + port_of(origin.address()));
    CHECK((client_first ? to_clients : to_upstreams) == 0);
    CHECK((client_first ? to_upstreams : to_clients) <= each);
    for (const Record& record : penstock.records())
      REQUIRE(text_of(record, "reason") == "complete");
    scenario.settle();
    scenario.saw(
        fmt::format("{} served, the {} first: at the proxy {} TIME_WAIT towards clients, "
                    "{} towards the upstream",
                    each, client_first ? "client" : "upstream", to_clients, to_upstreams));
  }
}

}  // namespace

TEST_CASE("B20 short connections leave no TIME_WAIT towards who closed first", "[faults][b]") {
  short_connections(2'000);
}

TEST_CASE("B20 fifty thousand short connections do not either", "[faults][b][full]") {
  short_connections(25'000);
}

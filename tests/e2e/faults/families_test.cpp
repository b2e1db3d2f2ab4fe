// A20: unix sockets and IPv4-mapped addresses on either side.

#include <fmt/format.h>

#include "catch.hpp"
#include "e2e/faults/crowd.hpp"
#include "e2e/network.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/talkers.hpp"
#include "e2e/temporary_folder.hpp"

using namespace penstock::e2e;

namespace {

struct Pairing {
  std::string name;
  std::string bind;
  std::string connect_to;  // as the client names the listener
  std::string listen_on;   // the origin
  std::string endpoint;    // as the configuration names the origin
};

std::vector<Pairing> pairings(const TemporaryFolder& folder) {
  const std::string web = "unix:" + folder.path("web.sock");
  const std::string app = "unix:" + folder.path("app.sock");
  const std::string v4_origin = free_address();
  const std::string v4 = free_address();
  const std::string port = port_of(free_address());
  const std::string v6 = free_v6_address();
  const std::string v6_origin = free_v6_address();
  return {{"unix upstream", v4, v4, app, app},
          {"unix listener", web, web, v4_origin, v4_origin},
          {"unix both", web, web, app, app},
          {"IPv4-mapped client", "[::]:" + port, "127.0.0.1:" + port, v4_origin, v4_origin},
          {"IPv4-mapped upstream", v4, v4, v4_origin, "[::ffff:127.0.0.1]:" + port_of(v4_origin)},
          {"IPv6 both", v6, v6, v6_origin, v6_origin}};
}

}  // namespace

TEST_CASE("A20 unix and IPv4-mapped sockets on either side", "[faults][a][sanitize]") {
  Scenario scenario{"A20", "unix, IPv4-mapped and IPv6 sockets on either side",
                    "every byte both ways, FIN last"};
  INFO("PENSTOCK_SEED=" << run_seed());
  for (const char* engine : {"engine: splice", "engine: adaptive", "engine: copy"}) {
    const TemporaryFolder folder;
    std::string names;
    for (const Pairing& pairing : pairings(folder)) {
      INFO(engine << ", " << pairing.name);
      if (pairing.listen_on.starts_with("unix:"))
        std::filesystem::remove(pairing.listen_on.substr(5));
      Origin origin{pairing.listen_on, {}};
      Penstock penstock{{.endpoints = {pairing.endpoint}, .bind = pairing.bind, .relay = engine}};
      scenario.watch(penstock.program(), {penstock.address(), origin.address()});
      {
        Crowd crowd{[&] { return Peer::connect(pairing.connect_to); }, origin, 2};
        auto flows = both_ways(crowd, {.bytes = 3 << 20, .seed = run_seed()});
        run(flows);
        CHECK(whole_of(flows) == flows.size());
        scenario.delivered(Way::to_upstream, flows.front().received(), flows.front().digest());
        scenario.delivered(Way::to_client, flows.back().received(), flows.back().digest());
        scenario.verdict("upstream", flows.front().ending());
        scenario.verdict("client", flows.back().ending());
      }
      converse({.connect_to = pairing.connect_to,
                .origin = origin.descriptor(),
                .connections = 10,
                .bytes_max = 200'000,
                .seed = run_seed()});
      penstock.wait_for_records(12);
      for (const Record& record : penstock.records()) {
        CHECK(text_of(record, "reason") == "complete");
        // A mapped address is told as the IPv4 address that it is.
        CHECK(text_of(record, "client").find("ffff") == std::string::npos);
      }
      scenario.settle();
      names += (names.empty() ? "" : ", ") + pairing.name;
    }
    scenario.saw(fmt::format("{}: {} whole, 12 connections each", engine + 8, names));
  }
}

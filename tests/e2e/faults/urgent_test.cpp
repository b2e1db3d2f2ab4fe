// A1 to A3: TCP urgent data, at which splice(2) stops.

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "e2e/faults/rival.hpp"
#include "e2e/faults/tracer.hpp"

using namespace penstock::e2e;

namespace {

// Sends the pieces, "!" as an urgent byte; what a perfect proxy delivers.
std::string send_pieces(Peer& sender, const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) {
    if (piece == "!")
      sender.send_urgent('!');
    else
      sender.send(piece);
    all += piece;
  }
  return all;
}

}  // namespace

TEST_CASE("A1 an urgent byte in the middle of a stream, then FIN", "[faults][a][sanitize]") {
  Scenario scenario{"A1", "`abc`, an urgent byte, `def`, FIN", "all 7 bytes in order, then FIN"};
  const Script script = [](Subject& proxy, Origin& origin) {
    Peer client = proxy.client();
    Peer upstream = origin.accept();
    const std::string sent = send_pieces(client, {"abc", "!", "def"});
    client.finish_sending();
    const Received got = upstream.receive_all(2s);
    return fmt::format("{} of {} bytes, {}", got.bytes.size(), sent.size(), name_of(got.ending));
  };
  for (const char* engine : {"engine: splice", "engine: adaptive", "engine: copy"}) {
    Origin origin;
    House house{{.endpoints = {origin.address()}, .relay = engine}};
    scenario.watch(house.program(), {house.address(), origin.address()});
    for (const bool from_client : {true, false}) {
      Peer client = house.client();
      Peer upstream = origin.accept();
      Peer& sender = from_client ? client : upstream;
      Peer& receiver = from_client ? upstream : client;
      const std::string sent = send_pieces(sender, {"abc", "!", "def"});
      sender.finish_sending();
      const Received got = receiver.receive_all();
      scenario.delivered(from_client ? Way::to_upstream : Way::to_client, sent, got.bytes);
      scenario.verdict(from_client ? "upstream" : "client", got.ending);
      CHECK(got.ending == Ending::fin);
    }
    house.wait_until_rest();
    scenario.settle();
  }
  scenario.saw("7 of 7 bytes, FIN, in both directions, by every engine");
  run_rivals(scenario, script);
}

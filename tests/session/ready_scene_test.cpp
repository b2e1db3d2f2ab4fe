// Sockets that are kept ready, as a story: who gets them, what becomes of them.

#include "catch.hpp"
#include "simulation/scene.hpp"
#include "upstream/upstream.hpp"

using namespace penstock;
using namespace penstock::simulation;
using namespace std::chrono_literals;
using session::CloseReason;
using Times = std::vector<base::Duration>;

namespace {

// A first connection, by which the forwarder learns of the endpoint, has come and gone; and
// control has asked twice, as often as it takes until all are dialled.
void begin(Scene& scene) {
  Connection& first = scene.connects();
  first.server.finishes();
  first.client.finishes();
  scene.pings();
  scene.pings();
  REQUIRE(first.ended(CloseReason::complete));
}

void speak(Connection& connection) {
  connection.client.sends("question");
  REQUIRE(connection.server.received == "question");
  connection.server.sends("answer");
  REQUIRE(connection.client.received == "answer");
}

}  // namespace

TEST_CASE("without connect.ready nothing is dialled beforehand", "[session]") {
  Scene scene;
  begin(scene);
  REQUIRE(scene.ready().empty());
  REQUIRE(scene.endpoint().asked.size() == 1);
}

TEST_CASE("a connection gets a socket that stands already, and another one takes its place",
          "[session]") {
  Scene scene{{.ready = 2}};
  begin(scene);
  REQUIRE(scene.ready().size() == 2);
  REQUIRE(scene.live().active == 2);
  REQUIRE(scene.live().connections == 1);
  scene.passes(1s);
  REQUIRE(scene.endpoint().asked == Times{0ms, 0ms, 0ms});
  Connection& connection = scene.connects();
  REQUIRE(scene.endpoint().asked == Times{0ms, 0ms, 0ms, 1s});
  REQUIRE(scene.ready().size() == 2);
  REQUIRE(scene.live().active == 3);
  speak(connection);
  connection.server.finishes();
  connection.client.finishes();
  REQUIRE(connection.ended(CloseReason::complete));
  REQUIRE(connection.record->attempts == 1);
  REQUIRE(connection.record->connect == 0ms);
  REQUIRE(scene.live().connections == 2);
  REQUIRE(scene.live().active == 2);
}

TEST_CASE("until it was looked at twice an endpoint gets one socket alone", "[session]") {
  Scene scene{{.ready = 3}};
  scene.connects();
  REQUIRE(scene.ready().size() == 1);
  scene.pings();
  REQUIRE(scene.ready().size() == 1);
  scene.pings();
  REQUIRE(scene.ready().size() == 3);
}

TEST_CASE("a socket that its endpoint closed or reset is replaced after a pause", "[session]") {
  Scene scene{{.ready = 2}};
  begin(scene);
  scene.ready()[0].finishes();
  scene.ready()[1].resets();
  scene.pings();
  REQUIRE(scene.ready().empty());
  REQUIRE(scene.live().active == 0);
  scene.passes(1s);
  scene.pings();
  REQUIRE(scene.ready().size() == 2);
}

TEST_CASE("who comes before that was seen is served by an ordinary attempt", "[session]") {
  Scene scene{{.ready = 1}};
  begin(scene);
  scene.ready()[0].resets();
  Connection& connection = scene.connects();
  speak(connection);
  REQUIRE(scene.endpoint().asked.size() == 3);
}

TEST_CASE("one that ends before anybody has said a word costs its connection nothing",
          "[session]") {
  const bool by_reset = GENERATE(false, true);
  Scene scene{{.ready = 1}};
  begin(scene);
  Connection& connection = scene.connects();
  scene.passes(3s);
  REQUIRE(scene.endpoint().asked.size() == 3);
  by_reset ? connection.server.resets() : connection.server.finishes();
  REQUIRE(scene.endpoint().asked.size() == 4);
  speak(connection);
  scene.cuts();
  REQUIRE(connection.record->attempts == 1);
  REQUIRE(connection.record->connect == 3s);
}

TEST_CASE("a client that says nothing for five seconds has its socket all the same", "[session]") {
  Scene scene{{.ready = 1}};
  begin(scene);
  Connection& connection = scene.connects();
  REQUIRE(scene.live().connections == 1);
  scene.passes(5s);
  REQUIRE(scene.live().connections == 2);
  connection.server.finishes();
  REQUIRE(connection.client.got_fin);
  scene.cuts();
  REQUIRE(connection.record->connect == 0ms);
}

TEST_CASE("what an endpoint says to a client that is silent reaches it", "[session]") {
  Scene scene{{.ready = 1}};
  begin(scene);
  Connection& connection = scene.connects();
  connection.server.sends("220 hello");
  REQUIRE(connection.client.received == "220 hello");
}

TEST_CASE("an endpoint that speaks first on one is left out from then on", "[session]") {
  const bool at_a_look = GENERATE(false, true);
  Scene scene{{.ready = 1}};
  begin(scene);
  scene.ready()[0].sends("220 hello");
  if (at_a_look)
    scene.pings();
  else
    scene.connects();
  REQUIRE(scene.live().speaks_first);
  REQUIRE(scene.ready().empty());
  Connection& connection = scene.connects();
  connection.server.sends("220 hello again");
  REQUIRE(connection.client.received == "220 hello again");
  scene.passes(1min);
  scene.pings();
  REQUIRE(scene.ready().empty());
}

TEST_CASE("one that has stood for ten seconds is replaced by a fresh one", "[session]") {
  Scene scene{{.ready = 1}};
  begin(scene);
  scene.passes(9s);
  scene.pings();
  REQUIRE(scene.endpoint().asked.size() == 2);
  scene.passes(1s);
  scene.pings();
  REQUIRE(scene.endpoint().asked == Times{0ms, 0ms, 10s});
  REQUIRE(scene.ready().size() == 1);
}

TEST_CASE("one that nobody answers is given up after connect.timeout, and others dial themselves",
          "[session]") {
  Scene scene{{.ready = 1}};
  scene.endpoint().answers = {Answer::accepts, Answer::keeps_silent, Answer::accepts};
  begin(scene);
  speak(scene.connects());
  REQUIRE(scene.ready().size() == 1);
  scene.passes(2s);
  scene.pings();
  REQUIRE(scene.ready().empty());
  REQUIRE(scene.live().failed_in_a_row == 0);
}

TEST_CASE("none are kept at an endpoint that takes no new connections", "[session]") {
  Scene scene{{.ready = 2}};
  begin(scene);
  scene.says(GENERATE(upstream::Override::drain, upstream::Override::down));
  scene.pings();
  REQUIRE(scene.ready().empty());
  REQUIRE(scene.live().active == 0);
  scene.says(upstream::Override::up);
  scene.pings();
  REQUIRE(scene.ready().empty());  // until somebody goes there again
  scene.connects();
  REQUIRE(scene.ready().size() == 1);
}

TEST_CASE("sockets that are kept ready leave half of the places alone", "[session]") {
  const bool of_endpoint = GENERATE(false, true);
  Scene scene{{.endpoint_places = of_endpoint ? 4U : 0U,
               .upstream_places = of_endpoint ? 0U : 4U,
               .ready = 64}};
  begin(scene);
  REQUIRE(scene.ready().size() == 2);
  speak(scene.connects());
  scene.pings();
  REQUIRE(scene.live().active == 2);
  REQUIRE(scene.ready().size() == 1);
}

TEST_CASE("one place is for connections alone", "[session]") {
  Scene scene{{.endpoint_places = 1, .ready = 2}};
  begin(scene);
  REQUIRE(scene.ready().empty());
}

TEST_CASE("who finds all places taken gets that of a socket that was kept ready", "[session]") {
  Scene scene{{.endpoints = 2, .upstream_places = 4, .ready = 2}};
  begin(scene);
  REQUIRE(scene.ready().size() == 2);
  scene.says(upstream::Override::drain);  // nobody goes there, and nobody has looked since
  for (int connection = 0; connection < 3; ++connection) speak(scene.connects());
  REQUIRE(scene.live(1).active == 3);
}

TEST_CASE("a drain closes them", "[session]") {
  Scene scene{{.ready = 2}};
  begin(scene);
  scene.drains(10s);
  REQUIRE(scene.ready().empty());
  speak(scene.connects());
  scene.pings();
  REQUIRE(scene.ready().empty());
}

TEST_CASE("nobody is refused for the sake of sockets that another forwarder keeps", "[session]") {
  Scene scene{{.endpoint_places = 2, .ready = 1}};
  upstream::Upstream& upstream = scene.upstream();
  auto elsewhere = upstream.take_spare(*upstream.cluster().endpoint(0).live);
  REQUIRE(elsewhere.has_value());
  speak(scene.connects());
  Connection& late = scene.connects();
  scene.passes(900ms);
  REQUIRE(late.record == std::nullopt);
  elsewhere.reset();
  scene.passes(50ms);
  speak(late);
}

TEST_CASE("who finds all places taken by connections is refused as ever", "[session]") {
  Scene scene{{.endpoint_places = 2, .ready = 1}};
  speak(scene.connects());
  speak(scene.connects());
  REQUIRE(scene.connects().ended(CloseReason::queue_full));
}

TEST_CASE("many that are found dead together cost one pause", "[session]") {
  Scene scene{{.ready = 8}};
  begin(scene);
  for (Peer& kept : scene.ready()) kept.resets();
  speak(scene.connects());
  scene.passes(1s);
  scene.pings();
  REQUIRE(scene.ready().size() == 8);
}

TEST_CASE("a held connection that loses its socket is not dialled where nobody goes", "[session]") {
  Scene scene{{.endpoints = 2, .ready = 1}};
  begin(scene);
  Connection& held = scene.connects();
  const std::size_t asked = scene.endpoint().asked.size();
  scene.says(upstream::Override::drain);
  scene.pings();
  held.server.finishes();
  speak(held);
  REQUIRE(scene.endpoint().asked.size() == asked);
  REQUIRE(scene.endpoint(1).asked.size() >= 1);
}

TEST_CASE("a drain treats a connection that holds a socket as one that stands", "[session]") {
  Scene scene{{.ready = 1}};
  begin(scene);
  scene.connects();
  REQUIRE(scene.live().connections == 1);
  scene.drains(10s);
  scene.passes(1ms);
  REQUIRE(scene.live().connections == 2);
}

// Aborting, as a story: a reset is passed on, behind what was taken before it.

#include "catch.hpp"
#include "simulation/scene.hpp"

using namespace penstock;
using namespace penstock::simulation;
using namespace std::chrono_literals;
using session::CloseReason;

TEST_CASE("a client's reset is passed on to the endpoint, and no FIN", "[session]") {
  Scene scene;
  Connection& connection = scene.connects();
  connection.client.sends("half a quest");
  connection.client.resets();
  scene.passes(10ms);
  REQUIRE(connection.ended(CloseReason::client_reset));
  REQUIRE(connection.server.received == "half a quest");
  REQUIRE(connection.server.got_reset);
  REQUIRE_FALSE(connection.server.got_fin);
}

TEST_CASE("an endpoint's reset is passed on to the client, and no FIN", "[session]") {
  Scene scene;
  Connection& connection = scene.connects();
  connection.server.sends("half an ans");
  connection.server.resets();
  scene.passes(10ms);
  REQUIRE(connection.ended(CloseReason::upstream_reset));
  REQUIRE(connection.client.received == "half an ans");
  REQUIRE(connection.client.got_reset);
  REQUIRE_FALSE(connection.client.got_fin);
}

TEST_CASE("an endpoint that resets before its first byte has failed", "[session]") {
  Scene scene;
  scene.connects().server.resets();
  REQUIRE(scene.live().failed_in_a_row == 1);
  Connection& second = scene.connects();
  second.server.sends("answer");
  second.server.resets();
  REQUIRE(scene.live().failed_in_a_row == 0);
}

TEST_CASE("a reset waits until a slow client has taken the bytes that came before it",
          "[session]") {
  Scene scene{{.timeouts = {.abort_linger = 5s}}};
  Connection& connection = scene.connects();
  connection.client.stops_reading();
  connection.server.sends("the whole answer");
  connection.server.resets();
  scene.passes(4s);
  REQUIRE_FALSE(connection.client.got_reset);
  connection.client.reads_on();
  scene.passes(10ms);
  REQUIRE(connection.client.got_reset);
  REQUIRE(connection.lasted() <= 4010ms);
  REQUIRE_FALSE(connection.record->truncated_to_client);
}

TEST_CASE("a reset waits no longer than timeouts.abort_linger", "[session]") {
  Scene scene{{.timeouts = {.abort_linger = 5s}}};
  Connection& connection = scene.connects();
  connection.client.stops_reading();
  connection.server.sends("the whole answer");
  connection.server.resets();
  scene.passes(4999ms);
  REQUIRE_FALSE(connection.client.got_reset);
  scene.passes(1ms);
  REQUIRE(connection.client.got_reset);
  REQUIRE(connection.lasted() == 5s);
}

TEST_CASE("a cut resets both ends at once, whatever is owed", "[session]") {
  Scene scene;
  Connection& connection = scene.connects();
  connection.client.stops_reading();
  connection.server.sends("the whole answer");
  scene.cuts();
  REQUIRE(connection.ended(CloseReason::drain));
  REQUIRE(connection.client.got_reset);
  REQUIRE(connection.server.got_reset);
}

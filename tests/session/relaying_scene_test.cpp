// Relaying, as a story: bytes and ends in both directions, and silence.

#include "catch.hpp"
#include "simulation/scene.hpp"

using namespace penstock;
using namespace penstock::simulation;
using namespace std::chrono_literals;
using session::CloseReason;

TEST_CASE("a question goes to the endpoint and its answer to the client", "[session]") {
  Scene scene;
  Connection& connection = scene.connects();
  connection.client.sends("question");
  REQUIRE(connection.server.received == "question");
  scene.passes(20ms);
  connection.server.sends("answer");
  REQUIRE(connection.client.received == "answer");
  connection.client.finishes();
  connection.server.finishes();
  REQUIRE(connection.ended(CloseReason::complete));
  REQUIRE(connection.record->first_byte == 20ms);
}

TEST_CASE("a client that has finished still gets the whole answer", "[session]") {
  Scene scene;
  Connection& connection = scene.connects();
  connection.client.sends("question");
  connection.client.finishes();
  REQUIRE(connection.server.got_fin);
  REQUIRE_FALSE(connection.client.got_fin);
  scene.passes(30s);
  connection.server.sends("a late answer");
  connection.server.finishes();
  REQUIRE(connection.client.received == "a late answer");
  REQUIRE(connection.client.got_fin);
  REQUIRE(connection.ended(CloseReason::complete));
}

TEST_CASE("an endpoint that has finished still gets what the client sends", "[session]") {
  Scene scene;
  Connection& connection = scene.connects();
  connection.server.finishes();
  REQUIRE(connection.client.got_fin);
  connection.client.sends("a long upload");
  REQUIRE(connection.server.received == "a long upload");
  connection.client.finishes();
  REQUIRE(connection.ended(CloseReason::complete));
}

TEST_CASE("a client that stops reading holds the endpoint back, and then gets every byte",
          "[session]") {
  const std::string answer(1'000'000, 'a');
  Scene scene;
  Connection& connection = scene.connects();
  connection.client.stops_reading();
  connection.server.sends(answer);
  scene.passes(1s);
  REQUIRE(connection.client.received.empty());
  REQUIRE(connection.server.held_back() > 800'000);
  connection.client.reads_on();
  REQUIRE(connection.client.received == answer);
}

TEST_CASE("a connection without a byte is ended after timeouts.idle, which every byte begins anew",
          "[session]") {
  Scene scene{{.timeouts = {.idle = 60s}}};
  Connection& connection = scene.connects();
  scene.passes(59s);
  connection.server.sends("still here");
  scene.passes(59'999ms);
  REQUIRE_FALSE(connection.record);
  scene.passes(1ms);
  REQUIRE(connection.ended(CloseReason::idle_timeout));
  REQUIRE(connection.lasted() == 119s);
  REQUIRE(connection.client.got_reset);
  REQUIRE(connection.server.got_reset);
}

TEST_CASE("who has finished waits for the other end as long as timeouts.half_close", "[session]") {
  Scene scene{{.timeouts = {.half_close = 10s}}};
  Connection& connection = scene.connects();
  scene.passes(5s);
  connection.client.finishes();
  scene.passes(9s);
  connection.server.sends("not yet");
  scene.passes(9'999ms);
  REQUIRE_FALSE(connection.record);
  scene.passes(1ms);
  REQUIRE(connection.ended(CloseReason::half_close_timeout));
}

// Deadlines of the whole connection, as a story: its lifetime, and the drain of the process.

#include "catch.hpp"
#include "simulation/scene.hpp"

using namespace penstock;
using namespace penstock::simulation;
using namespace std::chrono_literals;
using session::CloseReason;

TEST_CASE("a connection ends after timeouts.max_lifetime, however busy it is", "[session]") {
  Scene scene{{.timeouts = {.max_lifetime = 10s}}};
  Connection& connection = scene.connects();
  for (int second = 1; second < 10; ++second) {
    scene.passes(1s);
    connection.server.sends("tick ");
  }
  scene.passes(999ms);
  REQUIRE_FALSE(connection.record);
  scene.passes(1ms);
  REQUIRE(connection.ended(CloseReason::max_lifetime));
  REQUIRE(connection.lasted() == 10s);
}

TEST_CASE("a drain ends a lone connection that has rested at once, by FIN", "[session]") {
  Scene scene;
  Connection& connection = scene.connects();
  scene.passes(5s);
  scene.drains(30s);
  scene.passes(1ms);  // the next tick of the timers
  REQUIRE(connection.ended(CloseReason::drain));
  REQUIRE(connection.client.got_fin);
  REQUIRE(connection.server.got_fin);
  REQUIRE_FALSE(connection.client.got_reset);
}

TEST_CASE("a drain spreads the ends of those who rest over its timeout", "[session]") {
  Scene scene;
  const Connection& first = scene.connects();
  const Connection& second = scene.connects();
  const Connection& third = scene.connects();
  scene.passes(5s);
  scene.drains(30s);
  scene.passes(30s);
  REQUIRE(first.lasted() == 5001ms);  // the next tick of the timers
  REQUIRE(second.lasted() == 15s);
  REQUIRE(third.lasted() == 25s);
}

TEST_CASE("a drain lets who is busy go on until it has rested for a second", "[session]") {
  Scene scene;
  Connection& connection = scene.connects();
  scene.drains(30s);
  for (int half = 0; half < 8; ++half) {
    scene.passes(500ms);
    connection.server.sends("tick ");
  }
  REQUIRE_FALSE(connection.record);
  scene.passes(1s);
  REQUIRE(connection.ended(CloseReason::drain));
  REQUIRE(connection.client.got_fin);
}

TEST_CASE("whoever is busy at the end of a drain is reset", "[session]") {
  Scene scene;
  Connection& connection = scene.connects();
  scene.drains(3s);
  for (int half = 1; half < 6; ++half) {
    scene.passes(500ms);
    connection.server.sends("tick ");
  }
  scene.passes(499ms);
  REQUIRE_FALSE(connection.record);
  scene.passes(1ms);
  REQUIRE(connection.ended(CloseReason::drain));
  REQUIRE(connection.lasted() == 3s);
  REQUIRE(connection.client.got_reset);
}

TEST_CASE("the end of a drain ends who waits in line and who still connects", "[session]") {
  Scene scene{{.endpoint_places = 1, .queue = {.size = 8, .timeout = 60s}}};
  scene.endpoint().answers = {Answer::keeps_silent};
  const Connection& connecting = scene.connects();
  const Connection& queued = scene.connects();
  scene.drains(1s);
  scene.passes(999ms);
  REQUIRE_FALSE(connecting.record);
  REQUIRE_FALSE(queued.record);
  scene.passes(1ms);
  REQUIRE(connecting.ended(CloseReason::drain));
  REQUIRE(queued.ended(CloseReason::drain));
}

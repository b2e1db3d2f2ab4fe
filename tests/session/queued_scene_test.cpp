// Waiting in line for a place, as a story.

#include "catch.hpp"
#include "simulation/scene.hpp"

using namespace penstock;
using namespace penstock::simulation;
using namespace std::chrono_literals;
using session::CloseReason;

namespace {

void end(Connection& connection) {
  connection.client.finishes();
  connection.server.finishes();
}

}  // namespace

TEST_CASE("a connection that finds an endpoint full waits, and goes there when another one ends",
          "[session]") {
  Scene scene{{.endpoint_places = 1, .queue = {.size = 8}}};
  Connection& first = scene.connects();
  Connection& second = scene.connects();
  REQUIRE(scene.queued() == 1);
  scene.passes(3s);
  REQUIRE(scene.endpoint().asked.size() == 1);
  end(first);
  REQUIRE(first.ended(CloseReason::complete));
  REQUIRE(scene.queued() == 0);
  REQUIRE(scene.endpoint().asked.back() == 3s);
  second.client.sends("question");
  REQUIRE(second.server.received == "question");
}

TEST_CASE("the limit of an upstream counts its endpoints together", "[session]") {
  Scene scene{{.endpoints = 2, .upstream_places = 1, .queue = {.size = 8}}};
  Connection& first = scene.connects();
  scene.connects();
  REQUIRE(scene.queued() == 1);
  end(first);
  REQUIRE(scene.queued() == 0);
  REQUIRE(scene.live(0).active + scene.live(1).active == 1);
}

TEST_CASE("who waits in line is served in the order of arrival", "[session]") {
  Scene scene{{.endpoint_places = 1, .queue = {.size = 8}}};
  Connection& first = scene.connects();
  Connection& second = scene.connects();
  Connection& third = scene.connects();
  second.client.sends("second");
  third.client.sends("third");
  end(first);
  REQUIRE(second.server.received == "second");
  REQUIRE(third.server.received.empty());
  end(second);
  REQUIRE(third.server.received == "third");
}

TEST_CASE("who has waited in line for queue.timeout gives up", "[session]") {
  Scene scene{{.endpoint_places = 1, .queue = {.size = 8, .timeout = 5s}}};
  scene.connects();
  const Connection& second = scene.connects();
  scene.passes(4999ms);
  REQUIRE_FALSE(second.record);
  scene.passes(1ms);
  REQUIRE(second.ended(CloseReason::queue_timeout));
  REQUIRE(second.client.got_reset);
  REQUIRE(scene.queued() == 0);
}

TEST_CASE("where the line is full a connection is reset at once", "[session]") {
  Scene scene{{.endpoint_places = 1, .queue = {.size = 1}}};
  scene.connects();
  scene.connects();
  const Connection& third = scene.connects();
  REQUIRE(third.ended(CloseReason::queue_full));
  REQUIRE(third.client.got_reset);
  REQUIRE(scene.queued() == 1);
}

TEST_CASE("a client that leaves the line lets the next one come first", "[session]") {
  Scene scene{{.endpoint_places = 1, .queue = {.size = 8}}};
  Connection& first = scene.connects();
  Connection& second = scene.connects();
  Connection& third = scene.connects();
  second.client.resets();
  REQUIRE(second.ended(CloseReason::client_reset));
  REQUIRE(scene.queued() == 1);
  end(first);
  third.client.sends("third");
  REQUIRE(third.server.received == "third");
}

TEST_CASE("an attempt that fails gives its place to who waits in line", "[session]") {
  Scene scene{{.endpoint_places = 1, .connect_timeout = 2s, .queue = {.size = 8}}};
  scene.endpoint().answers = {Answer::keeps_silent, Answer::accepts};
  scene.connects();
  Connection& second = scene.connects();
  second.client.sends("question");
  scene.passes(1999ms);
  REQUIRE(second.server.received.empty());
  scene.passes(1ms);
  REQUIRE(second.server.received == "question");
}

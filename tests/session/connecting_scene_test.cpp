// Connecting, as a story: what endpoints answer, and when they are asked again.

#include "catch.hpp"
#include "simulation/scene.hpp"

using namespace penstock;
using namespace penstock::simulation;
using namespace std::chrono_literals;
using session::CloseReason;
using Times = std::vector<base::Duration>;

TEST_CASE("an endpoint that refuses twice is asked again after 100 ms, then after 200 ms",
          "[session]") {
  Scene scene{{.attempts = 4}};
  scene.endpoint().answers = {Answer::refuses, Answer::refuses, Answer::accepts};
  Connection& connection = scene.connects();
  scene.passes(299ms);
  REQUIRE(scene.endpoint().asked == Times{0ms, 100ms});
  scene.passes(1ms);
  REQUIRE(scene.endpoint().asked == Times{0ms, 100ms, 300ms});
  connection.client.sends("question");
  REQUIRE(connection.server.received == "question");
}

TEST_CASE("both of two endpoints are asked before the pause", "[session]") {
  Scene scene{{.endpoints = 2, .attempts = 4}};
  scene.endpoint(0).answers = {Answer::refuses};
  scene.endpoint(1).answers = {Answer::refuses};
  const Connection& connection = scene.connects();
  scene.passes(1s);
  REQUIRE(scene.endpoint(0).asked == Times{0ms, 100ms});
  REQUIRE(scene.endpoint(1).asked == Times{0ms, 100ms});
  REQUIRE(connection.ended(CloseReason::connect_failed));
}

TEST_CASE("a connection whose attempts are spent is reset at the last refusal", "[session]") {
  Scene scene{{.attempts = 3}};
  scene.endpoint().answers = {Answer::refuses};
  const Connection& connection = scene.connects();
  scene.passes(1s);
  REQUIRE(scene.endpoint().asked == Times{0ms, 100ms, 300ms});
  REQUIRE(connection.ended(CloseReason::connect_failed));
  REQUIRE(connection.lasted() == 300ms);
  REQUIRE(connection.record->attempts == 3);
  REQUIRE(connection.record->connect_error == "refused");
  REQUIRE(connection.client.got_reset);
}

TEST_CASE("an endpoint that keeps silent is given up after connect.timeout", "[session]") {
  Scene scene{{.connect_timeout = 2s, .attempts = 2}};
  scene.endpoint().answers = {Answer::keeps_silent, Answer::accepts};
  Connection& connection = scene.connects();
  scene.passes(1999ms);
  REQUIRE_FALSE(connection.server.got_reset);
  scene.passes(1ms);
  REQUIRE(connection.server.got_reset);
  scene.passes(100ms);
  REQUIRE(scene.endpoint().asked == Times{0ms, 2100ms});
  connection.client.sends("question");
  REQUIRE(connection.server.received == "question");
}

TEST_CASE("an answer within connect.timeout is in time", "[session]") {
  Scene scene{{.connect_timeout = 2s}};
  scene.endpoint().answers = {Answer::keeps_silent};
  Connection& connection = scene.connects();
  connection.client.sends("question");
  scene.passes(1999ms);
  connection.server.accepts();
  REQUIRE(connection.server.received == "question");
  connection.client.finishes();
  connection.server.finishes();
  REQUIRE(connection.ended(CloseReason::complete));
  REQUIRE(connection.record->connect == 1999ms);
}

TEST_CASE("the pauses end when connect.timeout has passed for each of the attempts", "[session]") {
  Scene scene{{.connect_timeout = 50ms, .attempts = 8}};
  scene.endpoint().answers = {Answer::refuses};
  const Connection& connection = scene.connects();
  scene.passes(1s);
  REQUIRE(scene.endpoint().asked == Times{0ms, 100ms, 300ms});
  REQUIRE(connection.lasted() == 400ms);
}

TEST_CASE("an endpoint without a route costs no attempt, and is passed over for 5 s", "[session]") {
  Scene scene{{.endpoints = 2, .attempts = 1}};
  scene.endpoint(0).answers = {Answer::has_no_route};
  Connection& first = scene.connects();
  scene.passes(4999ms);
  scene.connects();
  REQUIRE(scene.endpoint(0).asked == Times{0ms});
  REQUIRE(scene.endpoint(1).asked == Times{0ms, 4999ms});
  scene.passes(1ms);
  scene.connects();
  REQUIRE(scene.endpoint(0).asked == Times{0ms, 5000ms});
  first.client.resets();
  scene.passes(10ms);
  REQUIRE(first.record->attempts == 1);
}

TEST_CASE("where no endpoint has a route a connection ends at once", "[session]") {
  Scene scene{{.endpoints = 2}};
  scene.endpoint(0).answers = {Answer::has_no_route};
  scene.endpoint(1).answers = {Answer::has_no_route};
  const Connection& connection = scene.connects();
  REQUIRE(connection.ended(CloseReason::connect_failed));
  REQUIRE(connection.record->attempts == 0);
  REQUIRE(connection.record->connect_error == "no_route");
}

TEST_CASE("the full queue of a unix socket is waited out without a place and without an attempt",
          "[session]") {
  Scene scene{{.unix_sockets = true, .endpoint_places = 1, .attempts = 1}};
  scene.endpoint().answers = {Answer::has_a_full_queue, Answer::has_a_full_queue, Answer::accepts};
  Connection& connection = scene.connects();
  scene.passes(299ms);
  REQUIRE(scene.live().active == 0);
  scene.passes(1ms);
  REQUIRE(scene.endpoint().asked == Times{0ms, 100ms, 300ms});
  REQUIRE(scene.live().active == 1);
  connection.client.sends("question");
  REQUIRE(connection.server.received == "question");
}

TEST_CASE("a client that leaves during a pause ends its connection at once", "[session]") {
  Scene scene;
  scene.endpoint().answers = {Answer::refuses};
  Connection& connection = scene.connects();
  scene.passes(50ms);
  connection.client.resets();
  REQUIRE(connection.ended(CloseReason::client_reset));
  REQUIRE(connection.lasted() == 50ms);
}

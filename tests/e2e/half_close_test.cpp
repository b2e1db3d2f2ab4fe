// Each direction closes on its own: FIN is passed on after the last byte, and the other direction
// lives on.

#include <random>

#include "catch.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

std::string engine_of(int run) {
  return "engine: " + std::string{run % 3 == 0 ? "adaptive" : run % 3 == 1 ? "splice" : "copy"};
}

// `first` says a little and finishes; `second` has seen the end before it begins to answer.
void exchange(Peer& first, Peer& second, std::string_view question, std::string_view answer) {
  first.send(question);
  first.finish_sending();
  REQUIRE(second.read_to_end() == question);
  std::thread sender{[&] {
    second.send(answer);
    second.finish_sending();
  }};
  const Received got = first.receive_all();
  sender.join();
  REQUIRE(got.ending == Ending::fin);
  REQUIRE(got.bytes == answer);
}

}  // namespace

TEST_CASE("a late answer of any size arrives after the question's FIN, in both roles",
          "[half-close][sanitize]") {
  INFO("PENSTOCK_SEED=" << run_seed());
  std::mt19937_64 random{run_seed()};
  for (int engine = 0; engine < 3; ++engine) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine_of(engine)}};
    constexpr int exchanges = 68;
    for (int i = 0; i < exchanges; ++i) {
      Peer client = penstock.client();
      Peer upstream = origin.accept();
      const auto question = payload(random(), random() % 1000);
      const auto answer = payload(random(), random() % (2 << 20));
      if (i % 2 == 0)
        exchange(client, upstream, question, answer);
      else
        exchange(upstream, client, question, answer);
    }
    penstock.wait_for_records(exchanges);
    CHECK(penstock.metrics().sum("penstock_connections_closed_total", {{"reason", "complete"}}) ==
          exchanges);
    penstock.stop();
  }
}

TEST_CASE("a connection without a byte ends by FIN on both sides", "[half-close][sanitize]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  for (int i = 0; i < 100; ++i) {
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    Peer& first = i % 2 == 0 ? client : upstream;
    Peer& second = i % 2 == 0 ? upstream : client;
    first.finish_sending();
    REQUIRE(second.read_to_end().empty());
    REQUIRE(first.ending() == Ending::open);  // the way back is still there
    second.finish_sending();
    REQUIRE(first.read_to_end().empty());
  }
  penstock.wait_for_records(100);
  for (const Record& record : penstock.records()) REQUIRE(text_of(record, "reason") == "complete");
}

TEST_CASE("a client that finishes before the upstream is reached is served",
          "[half-close][sanitize]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  for (int i = 0; i < 100; ++i) {
    Peer client = penstock.client();
    client.send("early");
    client.finish_sending();
    Peer upstream = origin.accept();
    REQUIRE(upstream.read_to_end() == "early");
    upstream.send("late");
    upstream.close();
    REQUIRE(client.read_to_end() == "late");
  }
}

TEST_CASE("FIN from both sides at the same moment ends the connection as complete",
          "[half-close][sanitize]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  for (int i = 0; i < 100; ++i) {
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    client.send("last word");
    upstream.send("last answer");
    client.finish_sending();
    upstream.finish_sending();
    REQUIRE(client.read_to_end() == "last answer");
    REQUIRE(upstream.read_to_end() == "last word");
  }
  penstock.wait_for_records(100);
  for (const Record& record : penstock.records()) REQUIRE(text_of(record, "reason") == "complete");
}

TEST_CASE("FIN waits for a receiver that has not read the bytes before it",
          "[half-close][sanitize]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .relay = "engine: splice"}};
  Peer client = penstock.client({.receive_buffer = 4096});
  Peer upstream = origin.accept();
  const auto answer = payload(7, 512 * 1024);
  upstream.send(answer);  // fits into the buffers on the way
  upstream.finish_sending();
  penstock.wait_for_metric("penstock_bytes_total", {{"direction", "to_client"}}, 1);
  REQUIRE(client.ending() == Ending::open);
  REQUIRE(client.read_to_end() == answer);
}

// Sockets that are kept connected to endpoints: who gets them, what becomes of them.

#include "catch.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/upstreams.hpp"
#include "e2e/waiting.hpp"

using namespace penstock::e2e;

namespace {

Plan keeping_ready(const Origin& origin) {
  return {.endpoints = {origin.address()},
          .upstream = "connect: {ready: 2}",
          .relay = "engine: adaptive",
          .runtime = "forwarders: 1, drain: {timeout: 5s}"};
}

void converse(Peer& client, Peer& upstream, const std::string& words) {
  client.send(words);
  REQUIRE(upstream.read(words.size()) == words);
  upstream.send(words);
  REQUIRE(client.read(words.size()) == words);
}

// A first connection, by which the forwarder learns of the endpoint.
void visit(const Penstock& penstock, Origin& origin) {
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  converse(client, upstream, "a");
}

double active(const Penstock& penstock) {
  return penstock.metrics().sum("penstock_upstream_connections_active");
}

}  // namespace

TEST_CASE("a connection gets a socket that was kept ready, and another one takes its place",
          "[ready]") {
  Origin origin;
  Penstock penstock{keeping_ready(origin)};
  visit(penstock, origin);
  Peer first = origin.accept();
  const Peer second = origin.accept();
  penstock.wait_for_metric("penstock_upstream_connections_active", {}, 2);
  Peer client = penstock.client();
  converse(client, first, "question");
  const Peer third = origin.accept();
  CHECK(active(penstock) == 3);
  client.close();
  first.close();
  penstock.wait_for_records(2);
  CHECK(number_of(penstock.records().back(), "attempts") == 1);
  penstock.stop();
  CHECK(second.ending() == Ending::fin);
  CHECK(third.ending() == Ending::fin);
}

TEST_CASE("one that its endpoint closed or reset is replaced, and nobody notices", "[ready]") {
  Origin origin;
  Penstock penstock{keeping_ready(origin)};
  visit(penstock, origin);
  origin.accept().close();
  origin.accept().reset();
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  converse(client, upstream, "still served");
}

TEST_CASE("an endpoint that speaks first is left out, with a warning", "[ready]") {
  Origin origin;
  Penstock penstock{keeping_ready(origin)};
  visit(penstock, origin);
  origin.accept().send("220 hello");
  wait_for_words(penstock, "speaks first");
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  upstream.send("220 hello");
  CHECK(client.read(9) == "220 hello");
  penstock.wait_for_metric("penstock_upstream_connections_active", {}, 1);
  CHECK_FALSE(origin.somebody_waits());
}

TEST_CASE("none is kept at an endpoint that an operator drains", "[ready]") {
  Origin origin;
  Penstock penstock{keeping_ready(origin)};
  visit(penstock, origin);
  const Peer kept = origin.accept();
  steer(penstock, origin.address(), "drain");
  kept.wait_for(Ending::fin);
  penstock.wait_for_metric("penstock_upstream_connections_active", {}, 0);
}

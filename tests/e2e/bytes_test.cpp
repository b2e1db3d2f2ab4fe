// Bytes arrive exactly, in order, in both directions, whoever closes first, by every engine.

#include <set>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/talkers.hpp"

using namespace penstock::e2e;

namespace {

// A conversation through a proxy with this engine; then its books are looked at.
void converse_through(Penstock& penstock, const Origin& origin, std::size_t connections,
                      std::size_t bytes_max = 1 << 20) {
  INFO("PENSTOCK_SEED=" << run_seed());
  converse({.connect_to = penstock.address(),
            .origin = origin.descriptor(),
            .connections = connections,
            .bytes_max = bytes_max,
            .seed = run_seed()});
  penstock.wait_for_records(connections);
  for (const Record& record : penstock.records()) {
    REQUIRE(text_of(record, "reason") == "complete");
    REQUIRE(record.at("truncated") == false);
  }
  penstock.stop();
}

}  // namespace

TEST_CASE("1000 connections at once carry every byte both ways, adaptively", "[bytes][sanitize]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .relay = "engine: adaptive"}};
  converse_through(penstock, origin, 1000);
}

TEST_CASE("300 connections at once carry every byte both ways by splice", "[bytes][sanitize]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .relay = "engine: splice"}};
  converse_through(penstock, origin, 300);
}

TEST_CASE("300 connections at once carry every byte both ways by copy", "[bytes][sanitize]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .relay = "engine: copy"}};
  converse_through(penstock, origin, 300);
}

TEST_CASE("bytes survive a proxy with two small pipes and the smallest buffers",
          "[bytes][sanitize]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .relay = "max_pipes: 2, pipe_size: 64KiB, buffer_size: 4KiB"}};
  converse_through(penstock, origin, 200);
}

TEST_CASE("bytes survive small socket buffers on both sides", "[bytes][sanitize]") {
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .defaults = "receive_buffer: 8KiB, send_buffer: 8KiB"}};
  converse_through(penstock, origin, 50, 256 * 1024);
}

TEST_CASE("IPv6 and unix sockets carry every byte on both sides", "[bytes][sanitize]") {
  const TemporaryFolder folder;
  const std::string unix_origin = "unix:" + folder.path("origin.sock");
  const std::string unix_bind = "unix:" + folder.path("web.sock");
  SECTION("IPv6 on both sides") {
    Origin origin{free_v6_address()};
    Penstock penstock{{.endpoints = {origin.address()}, .bind = free_v6_address()}};
    converse_through(penstock, origin, 100);
  }
  SECTION("unix sockets on both sides") {
    Origin origin{unix_origin};
    Penstock penstock{{.endpoints = {origin.address()}, .bind = unix_bind}};
    converse_through(penstock, origin, 100);
  }
  SECTION("from a unix socket to IPv4, by splice") {
    Origin origin;
    Penstock penstock{
        {.endpoints = {origin.address()}, .bind = unix_bind, .relay = "engine: splice"}};
    converse_through(penstock, origin, 100);
  }
  SECTION("from IPv4 to a unix socket, by splice") {
    Origin origin{unix_origin};
    Penstock penstock{{.endpoints = {origin.address()}, .relay = "engine: splice"}};
    converse_through(penstock, origin, 100);
  }
}

TEST_CASE("the log counts exactly the bytes of a connection and who moved them", "[bytes]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address() + " blue"}, .relay = "engine: adaptive"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  client.send("a short question");
  client.finish_sending();
  REQUIRE(upstream.read_to_end() == "a short question");
  const std::string_view answer = payload(run_seed(), 8 << 20);
  std::thread sender{[&] {
    upstream.send(answer);
    upstream.finish_sending();
  }};
  const std::string got = client.read_to_end();
  sender.join();
  REQUIRE(got == answer);
  const Record record = penstock.record_of(client);
  CHECK(number_of(record, "bytes_to_upstream") == 16);
  CHECK(number_of(record, "bytes_to_client") == answer.size());
  CHECK(text_of(record, "listener") == "web");
  CHECK(text_of(record, "upstream") == "app");
  CHECK(text_of(record, "endpoint") == "blue");
  CHECK(number_of(record, "attempts") == 1);
  CHECK(record.contains("unacked_at_close"));
  CHECK(record.at("relay_to_upstream").as_array() == boost::json::array{"copy"});
  CHECK(record.at("relay_to_client").as_array().at(0) == "splice");
  for (const char* key :
       {"time", "id", "client", "local", "connect_ms", "first_byte_ms", "duration_ms",
        "client_rtt_us", "upstream_rtt_us", "retransmits", "forwarder", "node"})
    CHECK(record.contains(key));
}

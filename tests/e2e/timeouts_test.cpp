// Every deadline of a connection that stands, and the reason in the log.

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

double duration_of(const Record& record) {
  return record.at("duration_ms").to_number<double>();
}

// The upstream sends until nothing is taken any more while the client does not read for `time`;
// then everything must arrive.
void closed_window_survives(Milliseconds time, const char* engine) {
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .listener = "peer_timeout: 1s", .relay = engine}};
  Peer client = penstock.client({.receive_buffer = 4096});
  Peer upstream = origin.accept();
  const auto answer = payload(21, 32 << 20);
  std::size_t sent = 0;
  holds_for(time, "neither side is cut", [&] {
    sent += upstream.send_now(answer.substr(sent));
    return upstream.ending() == Ending::open && client.ending() == Ending::open;
  });
  REQUIRE(sent > 0);
  REQUIRE(sent < answer.size());
  upstream.finish_sending();
  REQUIRE(client.read_to_end() == answer.substr(0, sent));
  client.close();
  CHECK(text_of(penstock.record_with_reason("complete"), "reason") == "complete");
}

}  // namespace

TEST_CASE("a connection without a byte for idle_timeout is reset on both sides", "[timeouts]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .listener = "idle_timeout: 300ms"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  CHECK(client.receive_all().ending == Ending::reset);
  CHECK(upstream.receive_all().ending == Ending::reset);
  const Record record = penstock.record_with_reason("idle_timeout");
  CHECK(duration_of(record) >= 300);
}

TEST_CASE("bytes in either direction put idle_timeout off", "[timeouts]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .listener = "idle_timeout: 700ms"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  auto next = Clock::now();
  bool from_client = true;
  holds_for(2s, "the connection is open", [&] {
    if (Clock::now() >= next) {
      (from_client ? client : upstream).send("x");
      from_client = !from_client;
      next = Clock::now() + 100ms;
    }
    return client.ending() == Ending::open && upstream.ending() == Ending::open;
  });
  CHECK(duration_of(penstock.record_with_reason("idle_timeout")) >= 2000);
}

TEST_CASE("a half-closed connection ends after half_close_timeout of silence", "[timeouts]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .listener = "half_close_timeout: 300ms"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  client.finish_sending();
  CHECK(upstream.read_to_end().empty());
  CHECK(client.receive_all().ending == Ending::reset);
  penstock.record_with_reason("half_close_timeout");
}

TEST_CASE("a client of static files that never closes is let go after half_close_timeout",
          "[timeouts]") {
  Origin origin;
  const std::string files = free_address();
  Penstock penstock{{.endpoints = {origin.address()},
                     .more_listeners = "  - {name: files, bind: \"" + files +
                                       "\", files: {root: /}, half_close_timeout: 300ms}\n"}};
  Peer client = Peer::connect(files);
  client.send("GET /nothing/here HTTP/1.0\r\n\r\n");
  CHECK(client.read_to_end().find("404") != std::string::npos);
  penstock.record_with_reason("half_close_timeout");
}

TEST_CASE("max_lifetime ends even a busy connection", "[timeouts]") {
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}, .listener = "max_lifetime: 1s"}};
  Peer client = penstock.client();
  wait_until("the connection ends", [&] {
    try {
      client.send("x");
    } catch (const Failure&) {
      return true;
    }
    return client.ending() != Ending::open;
  });
  const double lived = duration_of(penstock.record_with_reason("max_lifetime"));
  CHECK(lived >= 890);
  CHECK(lived < 5000);
}

TEST_CASE("max_lifetime ends a client of static files, by FIN between two requests", "[timeouts]") {
  TemporaryFolder folder;
  folder.write("www/file", "content");
  Penstock penstock{
      {.listener = "files: {root: \"" + folder.path("www") + "\"}, max_lifetime: 1s"}};
  Peer client = penstock.client();
  client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_to_end().ends_with("content"));
  CHECK(duration_of(penstock.record_with_reason("max_lifetime")) >= 890);
}

TEST_CASE("abort_linger bounds how long a client that does not read is waited for", "[timeouts]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .listener = "abort_linger: 400ms"}};
  Peer client = penstock.client({.receive_buffer = 4096});
  Peer upstream = origin.accept();
  upstream.send(payload(22, 1 << 20));
  penstock.wait_for_metric("penstock_bytes_total", {{"direction", "to_client"}}, 1000);
  const auto begin = Clock::now();
  upstream.reset();
  const Record record = penstock.record_with_reason("upstream_reset");
  CHECK(Clock::now() - begin >= 400ms);
  CHECK(number_of(record, "unacked_at_close") > 0);
  CHECK(client.receive_all().ending == Ending::reset);
}

TEST_CASE("timeouts of 0 never end a connection", "[timeouts]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "idle_timeout: 0, half_close_timeout: 0, max_lifetime: 0, "
                                 "peer_timeout: 0"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  client.finish_sending();
  CHECK(upstream.read_to_end().empty());
  holds_for(1500ms, "the way back is open", [&] { return client.ending() == Ending::open; });
  upstream.send("late");
  CHECK(client.read(4) == "late");
}

TEST_CASE("a slow reader with a closed window for longer than peer_timeout is not cut",
          "[timeouts]") {
  for (const char* engine : {"engine: adaptive", "engine: splice", "engine: copy"}) {
    INFO(engine);
    closed_window_survives(5s, engine);
  }
}

TEST_CASE("a reader with a closed window for a minute is not cut", "[timeouts][full]") {
  closed_window_survives(60s, "engine: adaptive");
}

TEST_CASE("a peer that vanished while it owes an answer is cut by peer_timeout", "[timeouts]") {
  if (!can_drop_packets()) {
    WARN("skipped: iptables in a network of our own is needed to make a peer vanish");
    return;
  }
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .listener = "peer_timeout: 1s, abort_linger: 200ms"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  upstream.send("hello");
  REQUIRE(client.read(5) == "hello");
  SECTION("a client with segments in flight") {
    const Vanished gone{client.local_port()};
    upstream.send("is anybody there?");
    penstock.record_with_reason("peer_timeout", 5s);
    CHECK(upstream.receive_all().ending == Ending::reset);
  }
  SECTION("an upstream with segments in flight") {
    const Vanished gone{port_of(origin.address())};
    client.send("is anybody there?");
    penstock.record_with_reason("peer_timeout", 5s);
    CHECK(client.receive_all().ending == Ending::reset);
  }
}

TEST_CASE("a client of static files that vanished is cut by peer_timeout", "[timeouts]") {
  if (!can_drop_packets()) {
    WARN("skipped: iptables in a network of our own is needed to make a peer vanish");
    return;
  }
  TemporaryFolder folder;
  folder.write("www/file", std::string{payload(23, 32 << 20)});
  Penstock penstock{{.listener = "files: {root: \"" + folder.path("www") +
                                 "\"}, peer_timeout: 1s, abort_linger: 200ms"}};
  Peer client = penstock.client({.receive_buffer = 4096});
  client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read(8) == "HTTP/1.1");
  const Vanished gone{client.local_port()};
  std::string rest;
  receive_now(client.descriptor(), rest);  // the window opens, and segments go out to nobody
  const Record record = penstock.record_with_reason("peer_timeout", 5s);
  CHECK(record.at("truncated").as_bool());
}

TEST_CASE("keepalive ends an idle connection whose peer vanished", "[timeouts]") {
  if (!can_drop_packets()) {
    WARN("skipped: iptables in a network of our own is needed to make a peer vanish");
    return;
  }
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "keepalive: {idle: 1s, interval: 1s, count: 2}"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  const Vanished gone{client.local_port()};
  penstock.record_with_reason("peer_timeout");
  CHECK(upstream.receive_all().ending == Ending::reset);
}

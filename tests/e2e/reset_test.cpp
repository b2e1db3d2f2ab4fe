// RST is passed on as RST, after the bytes that came before it, and never disguised as FIN.

#include <poll.h>

#include <random>

#include "catch.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

const char* const engines[] = {"engine: adaptive", "engine: splice", "engine: copy"};

// Sends as much as is taken while nobody reads; returns how much that was.
std::size_t stuff(Peer& peer, std::string_view bytes) {
  std::size_t sent = 0;
  for (auto quiet_since = Clock::now();
       Clock::now() - quiet_since < 300ms && sent < bytes.size();) {
    const std::size_t more = peer.send_now(bytes.substr(sent));
    sent += more;
    if (more > 0) quiet_since = Clock::now();
    ::poll(nullptr, 0, 1);
  }
  return sent;
}

}  // namespace

TEST_CASE("a reset client is a reset for the upstream, after the bytes before",
          "[reset][sanitize]") {
  for (const char* engine : engines) {
    INFO(engine);
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    client.send("before");
    REQUIRE(upstream.read(6) == "before");
    client.reset();
    const Received rest = upstream.receive_all();
    CHECK(rest.ending == Ending::reset);
    CHECK(rest.bytes.empty());
    CHECK(text_of(penstock.record_with_reason("client_reset"), "local") == penstock.address());
  }
}

TEST_CASE("a reset upstream is a reset for the client, after the bytes before",
          "[reset][sanitize]") {
  for (const char* engine : engines) {
    INFO(engine);
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    const auto answer = payload(11, 100'000);
    upstream.send(answer);
    // The answer is under way for sure: what the upstream's kernel still holds, its RST drops.
    penstock.wait_for_metric("penstock_bytes_total", {{"direction", "to_client"}}, 100'000);
    upstream.reset();
    const Received got = client.receive_all();
    CHECK(got.bytes == answer);
    CHECK(got.ending == Ending::reset);
    CHECK(text_of(penstock.record_of(client), "reason") == "upstream_reset");
  }
}

TEST_CASE("a reset upstream gives a slow client every byte that penstock had taken",
          "[reset][sanitize]") {
  for (const char* engine : engines) {
    INFO(engine);
    Origin origin;
    Penstock penstock{
        {.endpoints = {origin.address()}, .listener = "abort_linger: 20s", .relay = engine}};
    Peer client = penstock.client({.receive_buffer = 4096});
    Peer upstream = origin.accept();
    const auto answer = payload(12, 50 << 20);
    const std::size_t sent = stuff(upstream, answer);
    REQUIRE(sent < answer.size());
    const double taken =
        penstock.metrics().sum("penstock_bytes_total", {{"direction", "to_client"}});
    upstream.reset();
    const Received got = client.receive_all(60s);
    CHECK(got.ending == Ending::reset);
    CHECK(static_cast<double>(got.bytes.size()) >= taken);
    CHECK(answer.substr(0, got.bytes.size()) == got.bytes);
    const Record record = penstock.record_of(client);
    CHECK(text_of(record, "reason") == "upstream_reset");
    CHECK(number_of(record, "bytes_to_client") == got.bytes.size());
    CHECK(record.at("truncated") == false);
  }
}

TEST_CASE("a client that resets in the middle of 50 MB ends the transfer at once",
          "[reset][sanitize]") {
  for (const char* engine : engines) {
    INFO(engine);
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    Peer client = penstock.client({.receive_buffer = 65536});
    Peer upstream = origin.accept();
    const auto answer = payload(13, 50 << 20);
    const std::size_t sent = stuff(upstream, answer.substr(0, 1 << 20));
    REQUIRE(sent > 0);
    const std::string head = client.read(100'000);
    REQUIRE(head == answer.substr(0, head.size()));
    client.reset();
    upstream.wait_for(Ending::reset);
    penstock.record_with_reason("client_reset");
    penstock.wait_until_rest();
  }
}

TEST_CASE("bytes of one reset connection never reach another", "[reset][sanitize]") {
  INFO("PENSTOCK_SEED=" << run_seed());
  std::mt19937_64 random{run_seed()};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "abort_linger: 100ms",
                     .relay = "engine: splice, max_pipes: 4"}};
  constexpr std::uint64_t connections = 2000;
  std::vector<std::pair<Peer, Peer>> left;  // some stay for a while, with bytes on the way
  for (std::uint64_t i = 0; i < connections; ++i) {
    Peer client = penstock.client({.receive_buffer = 4096});
    Peer upstream = origin.accept();
    const auto up = payload(i * 2, 1 + random() % 300'000);
    const auto down = payload(i * 2 + 1, 1 + random() % 300'000);
    const std::size_t sent_up = client.send_now(up);
    const std::size_t sent_down = upstream.send_now(down);
    const std::string got_up = upstream.read(random() % (std::min<std::size_t>(sent_up, 8000) + 1));
    const std::string got_down =
        client.read(random() % (std::min<std::size_t>(sent_down, 3000) + 1));
    REQUIRE(got_up == up.substr(0, got_up.size()));
    REQUIRE(got_down == down.substr(0, got_down.size()));
    left.emplace_back(std::move(client), std::move(upstream));
    if (left.size() < 8) continue;
    auto& victim = left[random() % left.size()];
    (random() % 2 == 0 ? victim.first : victim.second).reset();
    std::swap(victim, left.back());
    left.pop_back();
  }
  left.clear();
  penstock.wait_for_records(connections, 60s);
  penstock.wait_until_rest();
  CHECK(penstock.metrics().sum("penstock_pipes", {{"state", "leased"}}) == 0);
}

TEST_CASE("a unix socket, which knows no RST, is closed instead", "[reset][sanitize]") {
  const TemporaryFolder folder;
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .bind = "unix:" + folder.path("web.sock")}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  upstream.send("before");
  penstock.wait_for_metric("penstock_bytes_total", {{"direction", "to_client"}}, 6);
  upstream.reset();
  CHECK(client.receive_all().bytes == "before");
  penstock.record_with_reason("upstream_reset");
}

// A1 to A3: TCP urgent data, at which splice(2) stops.

#include <fmt/format.h>

#include <future>

#include "catch.hpp"
#include "e2e/faults/rival.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/payload.hpp"

using namespace penstock::e2e;

namespace {

// Sends the pieces, "!" as an urgent byte; what a perfect proxy delivers.
std::string send_pieces(Peer& sender, const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) {
    if (piece == "!")
      sender.send_urgent('!');
    else
      sender.send(piece);
    all += piece;
  }
  return all;
}

const std::vector<std::string> engines{"engine: splice", "engine: adaptive", "engine: copy"};

// In A3: which bytes of a stream are urgent.
struct Pattern {
  std::string name;
  std::function<bool(std::size_t index, std::size_t bytes)> is_urgent;
};
const std::vector<Pattern> patterns{
    {"every byte urgent", [](auto, auto) { return true; }},
    {"every second byte urgent", [](auto index, auto) { return index % 2 == 1; }},
    {"the first byte urgent", [](auto index, auto) { return index == 0; }},
    {"the last byte urgent", [](auto index, auto bytes) { return index + 1 == bytes; }},
};

void send_pattern(Peer& sender, std::string_view bytes, const Pattern& pattern) {
  for (std::size_t begin = 0; begin < bytes.size();) {
    std::size_t end = begin;
    while (end < bytes.size() && !pattern.is_urgent(end, bytes.size())) ++end;
    sender.send(bytes.substr(begin, end - begin));
    if (end < bytes.size()) sender.send_urgent(bytes[end++]);
    begin = end;
  }
  sender.finish_sending();
}

// Both directions at once, by every pattern and engine.
void urgent_bytes_arrive(std::size_t count) {
  Scenario scenario{"A3", fmt::format("{} urgent bytes; urgent first; urgent last", count),
                    "as A1: every byte in order, then FIN"};
  INFO("PENSTOCK_SEED=" << run_seed());
  std::uint64_t delivered = 0;
  Clock::duration spent{};
  for (const std::string& engine : engines) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    for (const Pattern& pattern : patterns) {
      INFO(engine << ", " << pattern.name);
      Peer client = penstock.client();
      Peer upstream = origin.accept();
      for (const bool from_client : {true, false}) {
        Peer& sender = from_client ? client : upstream;
        Peer& receiver = from_client ? upstream : client;
        const auto sent = payload(run_seed() + delivered, count);
        const auto begin = Clock::now();
        auto receiving = std::async(std::launch::async, [&] { return receiver.receive_all(60s); });
        send_pattern(sender, sent, pattern);
        const Received got = receiving.get();
        spent += Clock::now() - begin;
        delivered += got.bytes.size();
        scenario.delivered(from_client ? Way::to_upstream : Way::to_client, sent, got.bytes);
        scenario.verdict(from_client ? "upstream" : "client", got.ending);
        CHECK(got.ending == Ending::fin);
      }
    }
    penstock.wait_until_rest();
    scenario.settle();
  }
  scenario.saw(fmt::format(
      "{} bytes in {} streams, none lost, {:.0f} kB/s", delivered,
      engines.size() * patterns.size() * 2,
      static_cast<double>(delivered) / 1000 / std::chrono::duration<double>(spent).count()));
}

}  // namespace

TEST_CASE("A1 an urgent byte in the middle of a stream, then FIN", "[faults][a][sanitize]") {
  Scenario scenario{"A1", "`abc`, an urgent byte, `def`, FIN", "all 7 bytes in order, then FIN"};
  const Script script = [](Subject& proxy, Origin& origin) {
    Peer client = proxy.client();
    Peer upstream = origin.accept();
    const std::string sent = send_pieces(client, {"abc", "!", "def"});
    client.finish_sending();
    const Received got = upstream.receive_all(2s);
    return fmt::format("{} of {} bytes, {}", got.bytes.size(), sent.size(), name_of(got.ending));
  };
  for (const std::string& engine : engines) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    for (const bool from_client : {true, false}) {
      Peer client = penstock.client();
      Peer upstream = origin.accept();
      Peer& sender = from_client ? client : upstream;
      Peer& receiver = from_client ? upstream : client;
      const std::string sent = send_pieces(sender, {"abc", "!", "def"});
      sender.finish_sending();
      const Received got = receiver.receive_all();
      scenario.delivered(from_client ? Way::to_upstream : Way::to_client, sent, got.bytes);
      scenario.verdict(from_client ? "upstream" : "client", got.ending);
      CHECK(got.ending == Ending::fin);
    }
    penstock.wait_until_rest();
    scenario.settle();
  }
  scenario.saw("7 of 7 bytes, FIN, in both directions, by every engine");
  run_rivals(scenario, script);
}

TEST_CASE("A2 an urgent byte on a connection that stays open", "[faults][a]") {
  Scenario scenario{"A2", "an urgent byte, and the connection stays open",
                    "delivered at once; then the proxy sleeps"};
  const Script script = [](Subject& proxy, Origin& origin) {
    Peer client = proxy.client();
    Peer upstream = origin.accept();
    const std::string sent = send_pieces(client, {"abc", "!", "def"});
    const Received got = upstream.receive_all(1s);
    return fmt::format("{} of {} bytes, then {:.0f} ticks in 1 s", got.bytes.size(), sent.size(),
                       proxy.idle_ticks(1s));
  };
  for (const std::string& engine : engines) {
    INFO(engine);
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    const std::size_t before = can_trace() ? scenario.wakeups() : 0;
    const auto begin = Clock::now();
    const std::string up = send_pieces(client, {"abc", "!", "def"});
    const std::string down = send_pieces(upstream, {"abc", "!", "def"});
    scenario.delivered(Way::to_upstream, up, upstream.read(up.size()));
    scenario.delivered(Way::to_client, down, client.read(down.size()));
    const std::chrono::duration<double, std::milli> stall = Clock::now() - begin;
    const double ticks = scenario.idle_ticks();
    const std::size_t after = can_trace() ? scenario.wakeups() : 0;
    // A proxy that spins returns some hundred thousand times.
    CHECK(after <= before + 20);
    CHECK(client.ending() == Ending::open);
    CHECK(upstream.ending() == Ending::open);
    scenario.verdict("client", client.ending());
    scenario.verdict("upstream", upstream.ending());
    scenario.saw(
        fmt::format("{}: 7 of 7 bytes both ways in {:.1f} ms, then {:.0f} ticks and {} returns of "
                    "epoll_wait in 1 s ({} before)",
                    engine.substr(8), stall.count(), ticks, after, before));
    client.close();
    upstream.close();
    penstock.wait_until_rest();
    scenario.settle();
  }
  run_rivals(scenario, script);
}

TEST_CASE("A3 urgent bytes by the thousand, first and last", "[faults][a][sanitize]") {
  urgent_bytes_arrive(2000);
}

TEST_CASE("A3 a hundred thousand urgent bytes", "[faults][a][full]") {
  urgent_bytes_arrive(100'000);
}

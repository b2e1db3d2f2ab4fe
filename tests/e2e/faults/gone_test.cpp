// B9, B14, B15: peers that are gone: before they are accepted, in the middle, or half.

#include <fmt/format.h>

#include <csignal>
#include <sstream>
#include <vector>

#include "catch.hpp"
#include "e2e/faults/baseline.hpp"
#include "e2e/faults/rival.hpp"
#include "e2e/faults/timing.hpp"
#include "e2e/network.hpp"
#include "e2e/payload.hpp"

using namespace penstock::e2e;

namespace {

constexpr auto half_close_timeout = 2s;

// Both ways: neither segments nor answers pass, and nobody is told.
struct Silence {
  explicit Silence(const std::string& port)
      : in{"INPUT -p tcp --dport " + port + " -j DROP"},
        out{"INPUT -p tcp --sport " + port + " -j DROP"} {}
  const PacketRule in;
  const PacketRule out;
};

std::string text_of_states(const std::map<std::string, std::size_t>& states) {
  std::string text;
  for (const auto& [state, count] : states) text += fmt::format(" {} {}", count, state);
  return text.empty() ? " none" : text;
}

// Clients that finish and then do nothing; upstreams that do not even finish. Says how many
// descriptors the proxy still holds for them after its timeout and `patience` more.
struct Abandoned {
  std::size_t connections = 0;
  std::size_t held = 0;
  std::size_t left = 0;
  double ms = 0;
  std::map<std::string, std::size_t> sockets{};
  std::string text() const {
    return fmt::format(
        "{} connections, {} descriptors held, {} left {:.1f} s after the last FIN, "
        "kernel sockets then:{}",
        connections, held, left, ms / 1000, text_of_states(sockets));
  }
};

Abandoned abandon(Subject& proxy, Origin& origin, std::size_t connections, Milliseconds patience) {
  const std::size_t before = proxy.program.descriptors();
  std::vector<Peer> clients;
  std::vector<Peer> upstreams;
  for (std::size_t i = 0; i < connections; ++i) {
    clients.push_back(proxy.client());
    upstreams.push_back(origin.accept());
  }
  Abandoned seen{.connections = connections, .held = proxy.program.descriptors() - before};
  for (Peer& client : clients) client.finish_sending();
  const auto begin = Clock::now();
  const auto count_left = [&] {
    const std::size_t now = proxy.program.descriptors();
    return now > before ? now - before : 0;
  };
  try {
    wait_until(
        "freed", [&] { return (seen.left = count_left()) == 0; }, half_close_timeout + patience);
  } catch (const Failure&) {
    // That some are left is the fact looked for.
  }
  seen.ms = ms_since(begin);
  seen.sockets = sockets_by_state({proxy.address, origin.address()});
  return seen;
}

// Of these lines of the log; that the process stood still, the log may well say.
std::string lines_about_connections(const std::string& lines) {
  std::istringstream stream{lines};
  std::string others;
  for (std::string line; std::getline(stream, line);)
    if (line.find("for one round of its loop") == line.npos) others += line + '\n';
  return others;
}

void abandoned(std::size_t connections, Milliseconds patience) {
  Scenario scenario{
      "B15",
      fmt::format("{} clients finish and then do nothing, nor do their upstreams", connections),
      "freed after half_close_timeout (2 s here; rivals: client-fin and server-fin "
      "of 2 s, nginx has none)"};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "half_close_timeout: 2s",
                     .relay = "max_pipes: 4"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  descriptors_at_rest(penstock);
  Subject subject{penstock};
  const Abandoned seen = abandon(subject, origin, connections, 20s);
  CHECK(seen.held == 2 * connections);
  CHECK(seen.left == 0);
  CHECK(seen.ms >= 2000);
  scenario.saw(seen.text());
  penstock.wait_for_records(connections);
  for (const Record& record : penstock.records())
    REQUIRE(text_of(record, "reason") == "half_close_timeout");
  penstock.wait_until_rest();
  scenario.settle();
  run_rivals(scenario,
             [&](Subject& proxy, Origin& other) {
               return abandon(proxy, other, connections, patience).text();
             },
             {.half_close_timeout = "2s"});
}

}  // namespace

TEST_CASE("B9 clients that are gone before they are accepted", "[faults][b]") {
  Scenario scenario{"B9", "1000 clients connect and reset while the proxy stands still (SIGSTOP)",
                    "nothing but their records; the next client is served"};
  constexpr std::size_t count = 1000;
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const std::size_t before = descriptors_at_rest(penstock);
  wait_until("its last line of the start",
             [&] { return penstock.program().errors().find("ready") != std::string::npos; });
  const std::string said = penstock.program().errors();
  penstock.program().signal(SIGSTOP);
  for (std::size_t i = 0; i < count; ++i) penstock.client().reset();
  penstock.program().signal(SIGCONT);
  penstock.wait_for_records(count);
  for (const Record& record : penstock.records())
    CHECK(text_of(record, "reason") == "client_reset");
  penstock.wait_until_rest();
  const double dialled = penstock.metrics().sum("penstock_upstream_connect_seconds_count");
  CHECK(lines_about_connections(penstock.program().errors().substr(said.size())) == "");
  wait_until("descriptors are back", [&] { return penstock.program().descriptors() <= before; });
  scenario.settle();
  Peer next = penstock.client();
  next.send("still there?");
  CHECK(next.read(12) == "still there?");
  scenario.saw(
      fmt::format("{} records of client_reset, {} upstream connections made for nobody, "
                  "no line in the log about them, descriptors back at {}, the next client served",
                  penstock.records().size(), dialled, before));
}

TEST_CASE("B14 a peer that vanishes in the middle of a transfer", "[faults][b]") {
  if (!can_drop_packets()) {
    WARN("skipped: it takes iptables in a network of our own to make a peer vanish");
    return;
  }
  Scenario scenario{"B14", "every packet from and to one peer is dropped in mid-transfer",
                    "freed by peer_timeout (1 s here), RST for the other side"};
  for (const bool client_vanishes : {true, false}) {
    Origin origin;
    Penstock penstock{
        {.endpoints = {origin.address()}, .listener = "peer_timeout: 1s, abort_linger: 200ms"}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    Peer& sender = client_vanishes ? upstream : client;
    Peer& receiver = client_vanishes ? client : upstream;
    const auto bulk = payload(14, payload_bytes_max);
    std::size_t sent = sender.send_now(bulk.substr(0, 1 << 20));
    const std::string head = receiver.read(100'000);
    CHECK(head == bulk.substr(0, head.size()));
    const Silence silence{client_vanishes ? client.local_port() : upstream.remote_port()};
    const auto begin = Clock::now();
    // The transfer goes on, as far as there is room.
    wait_until("the proxy resets the sender", [&] {
      if (sender.ending() == Ending::reset) return true;
      try {
        sent += sender.send_now(bulk.substr(sent, 1 << 20));
        return false;
      } catch (const Failure&) {
        return true;
      }
    });
    const double ms = ms_since(begin);
    CHECK(sender.receive_all().ending == Ending::reset);
    CHECK(text_of(penstock.record_of(client), "reason") == "peer_timeout");
    scenario.verdict(client_vanishes ? "upstream" : "client", Ending::reset);
    penstock.wait_until_rest();
    scenario.settle();
    scenario.saw(fmt::format("the {} vanished: freed after {:.2f} s, RST for the other side",
                             client_vanishes ? "client" : "upstream", ms / 1000));
  }
}

TEST_CASE("B15 half-closed connections that both sides abandon", "[faults][b]") {
  abandoned(500, 2s);
}

// Two descriptors of 20,000 for each connection, in the proxy and in this process alike.
TEST_CASE("B15 half-closed and abandoned, as many as the descriptors allow", "[faults][b][full]") {
  abandoned(9'800, 10s);
}

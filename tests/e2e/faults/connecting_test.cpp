// B10 to B13: endpoints that cannot be reached, in every way there is, beside one that can.

#include <fmt/format.h>

#include <atomic>
#include <future>
#include <set>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/timing.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

constexpr std::size_t clients = 20;

bool cannot_filter() {
  if (can_drop_packets()) return false;
  WARN("skipped: it takes iptables in a network of our own to refuse a handshake");
  return true;
}

struct Served {
  std::size_t by_good = 0;
  std::size_t by_bad = 0;
  std::vector<double> connect_ms{};
  std::string figures() const {
    return fmt::format("connect p50 {:.1f} ms, p99 {:.1f} ms", percentile(connect_ms, 0.5),
                       percentile(connect_ms, 0.99));
  }
};

// All clients come at once; "good" and "bad" is what the two origins say.
Served ask_all(const Penstock& penstock, std::size_t count, std::size_t records_before = 0) {
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < count; ++i) {
    peers.push_back(penstock.client());
    peers.back().finish_sending();
  }
  Served served;
  for (Peer& peer : peers) {
    const Received got = peer.receive_all();
    served.by_good += got.ending == Ending::fin && got.bytes == "good";
    served.by_bad += got.ending == Ending::fin && got.bytes == "bad";
    peer.close();
  }
  penstock.wait_for_records(records_before + count);
  const auto records = penstock.records();
  for (std::size_t i = records_before; i < records.size(); ++i)
    if (const auto* connect = records[i].if_contains("connect_ms"))
      served.connect_ms.push_back(connect->to_number<double>());
  return served;
}

double failures(const Penstock& penstock, const std::string& endpoint, const std::string& reason) {
  return penstock.metrics().sum("penstock_upstream_connect_failures_total",
                                {{"endpoint", endpoint}, {"reason", reason}});
}

Plan plan_for(const std::string& bad, const Origin& good) {
  return {.endpoints = {bad + " bad", good.address() + " good"},
          .upstream = "connect: {timeout: 300ms, attempts: 2}",
          .runtime = "forwarders: 1"};
}

struct Trouble {
  const char* name;
  const char* target;  // of the rule on its SYNs; empty = nobody listens there
  const char* reason;  // how penstock counts it
};

constexpr Trouble troubles[] = {
    {"closed port", "", "refused"},
    {"RST", "REJECT --reject-with tcp-reset", "refused"},
    {"ICMP port unreachable", "REJECT --reject-with icmp-port-unreachable", "refused"},
    {"ICMP host unreachable", "REJECT --reject-with icmp-host-unreachable", "unreachable"},
    {"ICMP prohibited", "REJECT --reject-with icmp-admin-prohibited", "unreachable"},
    {"dropped SYN", "DROP", "timeout"}};

std::string rule_on_syns(const std::string& address, const std::string& target) {
  return "INPUT -p tcp --dport " + port_of(address) + " --syn -j " + target;
}

void one_trouble(Scenario& scenario, const Trouble& trouble) {
  INFO(trouble.name);
  Origin good;
  good.serve(say("good"));
  Origin bad;
  const bool listens = *trouble.target != '\0';
  const std::string address = listens ? bad.address() : free_address();
  std::optional<PacketRule> rule;
  if (listens) rule.emplace(rule_on_syns(address, trouble.target));
  Penstock penstock{plan_for(address, good)};
  scenario.watch(penstock.program(), {penstock.address(), good.address(), address});
  const Served served = ask_all(penstock, clients);
  CHECK(served.by_good == clients);
  CHECK(failures(penstock, "bad", trouble.reason) == clients / 2);
  scenario.saw(fmt::format("{}: {} of {} served, {}", trouble.name, served.by_good, clients,
                           served.figures()));
  penstock.wait_until_rest();
  scenario.settle();
}

// The first SYN of each attempt is lost; the kernel sends another one after a second.
void slow_answer(Scenario& scenario) {
  Origin late;
  Penstock penstock{
      {.endpoints = {late.address()}, .upstream = "connect: {timeout: 10s, attempts: 1}"}};
  std::optional<PacketRule> rule{rule_on_syns(late.address(), "DROP")};
  late.serve(say("good"));
  auto asking = std::async(std::launch::async, [&] { return ask_all(penstock, clients); });
  wait_until("every first SYN is lost", [&] { return rule->packets() >= clients; });
  rule.reset();
  const Served served = asking.get();
  CHECK(served.by_good == clients);
  scenario.saw(fmt::format("slow SYN-ACK: {} of {} served by a second SYN, {}", served.by_good,
                           clients, served.figures()));
}

// What the bad endpoint of B11 does with those who come to it, in turn.
struct BadTurns {
  std::size_t resets = 0;
  std::size_t elsewhere = 0;
  std::vector<std::pair<Peer, Peer>> deaf{};

  void take(std::size_t turn, Peer client, Peer upstream, const Origin& good,
            const std::string& tag) {
    switch (turn % 3) {
      case 0:  // at once: then penstock may, or may not, have seen that the connection stood
        upstream.reset();
        wait_until("RST, or another attempt",
                   [&] { return client.ending() == Ending::reset || good.somebody_waits(); });
        ++(good.somebody_waits() ? elsewhere : resets);
        return;
      case 1:
        REQUIRE(upstream.read(tag.size()) == tag);
        upstream.reset();
        CHECK(client.receive_all().ending == Ending::reset);
        ++resets;
        return;
      default: deaf.emplace_back(std::move(client), std::move(upstream));
    }
  }

  // Nobody was cut meanwhile; what they close unread resets.
  std::size_t end_the_deaf() {
    for (auto& [client, upstream] : deaf) {
      CHECK(client.ending() == Ending::open);
      upstream.close();
      resets += client.receive_all().ending == Ending::reset;
    }
    return deaf.size();
  }
};

}  // namespace

TEST_CASE("B10 an endpoint that refuses, rejects, drops or answers late", "[faults][b]") {
  if (cannot_filter()) return;
  Scenario scenario{"B10", "one of two endpoints refuses, rejects, drops, or answers late",
                    "every client served, within the connect budget (300 ms per attempt here)"};
  for (const Trouble& trouble : troubles) one_trouble(scenario, trouble);
  slow_answer(scenario);
}

TEST_CASE("B11 an upstream that accepts and then resets, or never reads", "[faults][b]") {
  Scenario scenario{"B11", "one of two endpoints accepts, then resets or never reads",
                    "another attempt only where no byte was sent: no byte is sent twice"};
  Origin bad;
  Origin good;
  Penstock penstock{{.endpoints = {bad.address() + " bad", good.address() + " good"},
                     .runtime = "forwarders: 1"}};
  scenario.watch(penstock.program(), {penstock.address(), bad.address(), good.address()});
  BadTurns turns;
  std::multiset<std::string> tags;  // that the good one got
  std::size_t bad_turns = 0;
  for (std::size_t i = 0; i < 3 * clients; ++i) {
    Peer client = penstock.client();
    const std::string tag = fmt::format("tag {:04}", i);
    client.send(tag);
    wait_until("one of both has it", [&] { return bad.somebody_waits() || good.somebody_waits(); });
    if (bad.somebody_waits()) turns.take(bad_turns++, std::move(client), bad.accept(), good, tag);
    if (good.somebody_waits()) tags.insert(good.accept().read(tag.size()));
  }
  CHECK(scenario.idle_ticks() <= 5);
  const std::size_t deaf = turns.end_the_deaf();
  penstock.wait_until_rest();
  CHECK_FALSE(good.somebody_waits());
  CHECK(turns.resets + turns.elsewhere == bad_turns);
  CHECK(tags.size() == 3 * clients - turns.resets);
  CHECK(std::set<std::string>(tags.begin(), tags.end()).size() == tags.size());
  const double retries = penstock.metrics().sum("penstock_upstream_retries_total");
  CHECK(retries == static_cast<double>(turns.elsewhere));
  scenario.settle();
  scenario.saw(
      fmt::format("of {} clients of the bad one {} got RST ({} of them after a second in "
                  "which it read nothing), {} went to the other one before a byte was "
                  "sent; the good one got {} tags, none of them twice",
                  bad_turns, turns.resets, deaf, turns.elsewhere, tags.size()));
}

TEST_CASE("B12 an endpoint whose backlog is full", "[faults][b]") {
  if (!network_is_ours()) return;
  Scenario scenario{"B12", "the backlog of one of two endpoints is full (somaxconn 8)",
                    "the next one serves after connect.timeout (300 ms here)"};
  Origin good;  // before the limit, which would be its own as well
  good.serve(say("good"));
  const NetworkSetting small{"net/core/somaxconn", "8"};
  BlackHole full{8};
  Penstock penstock{plan_for(full.address(), good)};
  scenario.watch(penstock.program(), {penstock.address(), good.address(), full.address()});
  const Served served = ask_all(penstock, clients);
  CHECK(served.by_good == clients);
  CHECK(failures(penstock, "bad", "timeout") == clients / 2);
  full.come_back().serve(say("bad"));
  const Served later = ask_all(penstock, clients, clients);
  CHECK(later.by_good + later.by_bad == clients);
  CHECK(later.by_bad > 0);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} of {} served, {}; when it accepted again, {} of {} more, {} of them "
                  "by it",
                  served.by_good, clients, served.figures(), later.by_good + later.by_bad, clients,
                  later.by_bad));
}

TEST_CASE("B13 an endpoint that comes and goes every 50 ms", "[faults][b]") {
  if (cannot_filter()) return;
  Scenario scenario{"B13", "iptables rejects one of two endpoints, on and off every 50 ms",
                    "no client sees an error while the other one is up"};
  Origin flaky;
  Origin good;
  flaky.serve(say("bad"));
  good.serve(say("good"));
  Penstock penstock{plan_for(flaky.address(), good)};
  scenario.watch(penstock.program(), {penstock.address(), good.address(), flaky.address()});
  std::atomic<bool> enough{false};
  std::atomic<std::size_t> flips{0};
  auto flipping = std::async(std::launch::async, [&] {
    while (!enough) {
      const PacketRule rule{rule_on_syns(flaky.address(), "REJECT --reject-with tcp-reset")};
      holds_for(50ms, "", [] { return true; });
      flips += 2;
    }
  });
  std::size_t asked = 0;
  Served all;
  // Long enough to have met it in both states, however busy the machine is.
  while (flips < 40 || all.by_bad == 0 || failures(penstock, "bad", "refused") == 0) {
    const Served some = ask_all(penstock, clients, asked);
    asked += clients;
    all.by_good += some.by_good;
    all.by_bad += some.by_bad;
    REQUIRE(all.by_good + all.by_bad == asked);
  }
  enough = true;
  flipping.get();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} flips, {} of {} clients served, {} of them by the flapping one; "
                  "{} attempts refused and made elsewhere",
                  flips.load(), all.by_good + all.by_bad, asked, all.by_bad,
                  failures(penstock, "bad", "refused")));
}

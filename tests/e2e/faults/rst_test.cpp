// B5 to B7, B21: RST from a peer, from the administrator, from a box on the way.

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "e2e/faults/baseline.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/timing.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

const char* const engines[] = {"adaptive", "splice", "copy"};
constexpr int runs = 10;

std::string relay_with(const char* engine) {
  return std::string{"engine: "} + engine;
}

using Pair = std::pair<Peer, Peer>;  // client, upstream

std::vector<Pair> connections(const Penstock& penstock, Origin& origin, int count) {
  std::vector<Pair> pairs;
  for (int i = 0; i < count; ++i) {
    Peer client = penstock.client();
    pairs.emplace_back(std::move(client), origin.accept());
  }
  return pairs;
}

// The sockets that ss(8) found, and destroyed.
std::size_t kill_sockets(const std::string& filter) {
  const Finished done =
      run_program({"ss", "-K", "-Htn", "state", "established", "( " + filter + " )"});
  if (done.exit_code != 0) throw Failure{"ss -K: " + done.errors};
  return static_cast<std::size_t>(std::count(done.output.begin(), done.output.end(), '\n'));
}

std::size_t resets_among(const std::vector<Pair>& pairs) {
  std::size_t resets = 0;
  for (const auto& [client, upstream] : pairs)
    for (const Peer* peer : {&client, &upstream}) {
      peer->wait_for(Ending::reset);
      ++resets;
    }
  return resets;
}

}  // namespace

TEST_CASE("B5 a client that resets in the middle of its upload", "[faults][b][sanitize]") {
  Scenario scenario{"B5", "the client resets in the middle of an upload",
                    "the upstream gets RST, not FIN, as soon as it has what was taken"};
  std::vector<double> times;
  std::size_t resets = 0;
  for (const char* engine : engines) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = relay_with(engine)}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    for (int i = 0; i < runs; ++i) {
      const auto upload = payload(static_cast<std::uint64_t>(i), 8 << 20);
      Peer client = penstock.client();
      Peer upstream = origin.accept();
      auto receiving = std::async(std::launch::async, [&] { return upstream.receive_all(); });
      std::size_t sent = 0;
      while (sent < 1 << 20) sent += client.send_now(upload.substr(sent));
      const auto begin = Clock::now();
      client.reset();
      const Received got = receiving.get();
      times.push_back(ms_since(begin));
      resets += got.ending == Ending::reset;
      CHECK(got.bytes == upload.substr(0, got.bytes.size()));
      scenario.verdict("upstream", got.ending);
    }
    penstock.wait_for_records(runs);
    for (const Record& record : penstock.records())
      CHECK(text_of(record, "reason") == "client_reset");
    penstock.wait_until_rest();
    scenario.settle();
  }
  CHECK(resets == times.size());
  scenario.saw(fmt::format("RST at {} of {} upstreams, after {:.1f} ms (median; at most {:.1f})",
                           resets, times.size(), percentile(times, 0.5), percentile(times, 1)));
}

TEST_CASE("B6 an upstream that resets right behind its bytes", "[faults][b][sanitize]") {
  Scenario scenario{"B6", "the upstream sends 1000 bytes and resets at once",
                    "the client gets 1000 bytes, then RST"};
  std::size_t whole = 0;
  std::size_t resets = 0;
  std::size_t all = 0;
  for (const char* engine : engines) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = relay_with(engine)}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    for (int i = 0; i < 5 * runs; ++i, ++all) {
      const auto answer = payload(static_cast<std::uint64_t>(i), 1000);
      Peer client = penstock.client();
      Peer upstream = origin.accept();
      upstream.send(answer);
      upstream.reset();
      const Received got = client.receive_all();
      whole += got.bytes == answer;
      resets += got.ending == Ending::reset;
      if (i == 0) scenario.delivered(Way::to_client, answer, got.bytes);
      scenario.verdict("client", got.ending);
    }
    penstock.wait_for_records(5 * runs);
    for (const Record& record : penstock.records())
      CHECK(text_of(record, "reason") == "upstream_reset");
    penstock.wait_until_rest();
    scenario.settle();
  }
  CHECK(whole == all);
  CHECK(resets == all);
  scenario.saw(fmt::format("1000 bytes for {} of {} clients, then RST for {}", whole, all, resets));
}

TEST_CASE("B7 a socket killed by the administrator", "[faults][b]") {
  if (skip_without({"ss"}) || !network_is_ours()) return;
  Scenario scenario{
      "B7", "`ss -K` on the proxy's sockets, half of them with bytes on the way",
      "RST on both sides; freed at once, or where a peer does not read after abort_linger (500 ms "
      "here)"};
  constexpr int count = 50;
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "abort_linger: 500ms",
                     .relay = "engine: splice"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const std::size_t before = descriptors_at_rest(penstock);
  for (const bool client_side : {true, false}) {
    auto pairs = connections(penstock, origin, count);
    for (std::size_t i = 0; i < pairs.size(); i += 2) pairs[i].second.send_now(payload(i, 1 << 20));
    penstock.wait_for_metric("penstock_connections_active", {}, count);
    const auto begin = Clock::now();
    const std::size_t killed = kill_sockets(client_side ? "sport = :" + port_of(penstock.address())
                                                        : "dport = :" + port_of(origin.address()));
    const std::size_t resets = resets_among(pairs);
    penstock.wait_until_rest();
    const double freed_ms = ms_since(begin);
    CHECK(killed == count);
    scenario.saw(fmt::format(
        "{} of {} {} sockets killed: {} of {} peers got RST, all freed within "
        "{:.0f} ms",
        killed, count, client_side ? "client" : "upstream", resets, 2 * count, freed_ms));
  }
  penstock.wait_for_records(2 * count);
  CHECK(penstock.metrics().sum("penstock_pipes", {{"state", "leased"}}) == 0);
  const auto idle = static_cast<std::size_t>(penstock.metrics().sum("penstock_pipes"));
  wait_until("descriptors are back",
             [&] { return penstock.program().descriptors() <= before + 2 * idle; });
  scenario.settle();
  scenario.saw(fmt::format("descriptors before {}, after {}, of which {} are idle pipes", before,
                           penstock.program().descriptors(), 2 * idle));
}

TEST_CASE("B21 the connection stands, and the first write is refused", "[faults][b]") {
  if (!can_drop_packets()) return;
  Scenario scenario{"B21", "a firewall lets the handshake pass and answers the first byte with RST",
                    "RST for the client; no other endpoint gets the bytes"};
  Origin refused;
  Origin other;
  Penstock penstock{{.endpoints = {refused.address() + " refused", other.address() + " other"},
                     .runtime = "forwarders: 1"}};
  scenario.watch(penstock.program(), {penstock.address(), refused.address(), other.address()});
  const PacketRule reject{"INPUT -p tcp --dport " + port_of(refused.address()) +
                          " -m connbytes --connbytes 3: --connbytes-dir original"
                          " --connbytes-mode packets -j REJECT --reject-with tcp-reset"};
  other.serve([](Peer peer) {
    peer.send(peer.read(9));
    peer.finish_sending();
    peer.receive_all();
  });
  std::size_t resets = 0;
  std::size_t served = 0;
  std::vector<double> times;
  for (int i = 0; i < 4 * runs; ++i) {
    Peer client = penstock.client();
    const auto begin = Clock::now();
    client.send("once only");
    const Received got = client.receive_all();
    if (got.ending == Ending::reset) times.push_back(ms_since(begin));
    resets += got.ending == Ending::reset && got.bytes.empty();
    served += got.ending == Ending::fin && got.bytes == "once only";
  }
  CHECK(resets == 2 * runs);
  CHECK(served == 2 * runs);
  penstock.wait_for_records(4 * runs);
  wait_until("the other one has served", [&] { return other.served() >= served; });
  CHECK(other.served() == 2 * runs);
  CHECK(penstock.metrics().sum("penstock_upstream_retries_total") == 0);
  CHECK(reject.packets() > 0);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("RST for {} of {} clients after {:.1f} ms (median), {} bytes given to "
                  "another endpoint instead; {} clients of the other endpoint served",
                  resets, 2 * runs, percentile(times, 0.5),
                  (other.served() - served) * std::string_view{"once only"}.size(), served));
}

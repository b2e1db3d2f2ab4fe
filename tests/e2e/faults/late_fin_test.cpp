// B4: FIN arrives while the bytes before it wait in a pipe, for a slow link.

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <memory>
#include <vector>

#include "catch.hpp"
#include "e2e/faults/far_host.hpp"
#include "e2e/faults/rival.hpp"
#include "e2e/network.hpp"
#include "e2e/payload.hpp"

using namespace penstock::e2e;

namespace {

constexpr std::size_t late_answer_bytes = 32 * 1024;
constexpr std::size_t crowd = 100;  // clients at a time

// How connections ended, as their clients saw it.
struct LateTally {
  std::size_t complete = 0;
  std::size_t truncated = 0;  // FIN, but not after the last byte
  std::size_t reset = 0;
  std::size_t open = 0;  // neither, until the deadline
  std::size_t foreign = 0;

  void add(const LateTally& other) {
    complete += other.complete;
    truncated += other.truncated;
    reset += other.reset;
    open += other.open;
    foreign += other.foreign;
  }
  void note(const Received& got, std::string_view expected) {
    const bool is_prefix = expected.substr(0, got.bytes.size()) == got.bytes;
    foreign += !is_prefix;
    if (got.ending == Ending::reset)
      ++reset;
    else if (got.ending == Ending::open)
      ++open;
    else if (is_prefix && got.bytes.size() == expected.size())
      ++complete;
    else
      ++truncated;
  }
  std::string text() const {
    return fmt::format("{} complete, {} truncated, {} reset, {} hanging, {} with foreign bytes",
                       complete, truncated, reset, open, foreign);
  }
};

// Sends what the client's number asks for, and FIN right behind it.
void answer(Peer peer) {
  std::uint64_t number = 0;
  std::memcpy(&number, peer.read(sizeof number).data(), sizeof number);
  peer.send(payload(number, late_answer_bytes));
  peer.finish_sending();
  peer.receive_all();
}

void serve_many(Origin& origin) {
  // All of an answer goes to the proxy at once, whatever the sysctl says of other sockets.
  const int bytes = 256 * 1024;
  ::setsockopt(origin.descriptor(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  auto answers = std::make_shared<std::vector<std::future<void>>>();
  origin.serve([answers](Peer peer) {
    answers->push_back(std::async(std::launch::async, answer, std::move(peer)));
  });
}

// One of the crowd: connections one after another, from the far host.
LateTally ask_from(const FarHost& far, const std::string& address, std::uint64_t first,
                   std::size_t count) {
  const FarHost::Visit visit{far};
  LateTally tally;
  for (std::uint64_t number = first; number < first + count; ++number) {
    Peer client = Peer::connect(address, {.receive_buffer = 4096});
    client.send({reinterpret_cast<const char*>(&number), sizeof number});
    tally.note(client.receive_all(), payload(number, late_answer_bytes));
  }
  return tally;
}

// `meanwhile` is called again and again until all are done.
LateTally ask_many(const FarHost& far, const std::string& address, std::size_t connections,
                   const std::function<void()>& meanwhile) {
  std::vector<std::future<LateTally>> clients;
  const std::size_t each = connections / crowd;
  for (std::size_t i = 0; i < crowd; ++i)
    clients.push_back(std::async(std::launch::async, ask_from, std::cref(far), std::cref(address),
                                 i * each, each));
  LateTally tally;
  for (auto& client : clients) {
    while (client.wait_for(50ms) != std::future_status::ready) meanwhile();
    tally.add(client.get());
  }
  return tally;
}

void fin_behind_slow_link(std::size_t connections) {
  if (!can_drop_packets()) {
    WARN("skipped: it takes network namespaces of our own to make a link slow");
    return;
  }
  Scenario scenario{"B4", "the upstream's FIN while its bytes wait in a pipe for a slow link",
                    "FIN only after the last byte: no truncated connection"};
  // With small send buffers the bytes have to wait in the proxy.
  const NetworkSetting small{"net/ipv4/tcp_wmem", "4096 4096 4096"};
  FarHost far;
  far.shape_towards("tbf rate 100mbit burst 16kb latency 400ms");
  for (const char* engine : {"splice", "adaptive"}) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()},
                       .bind = far.our_address(port_of(free_address())),
                       .relay = std::string{"engine: "} + engine}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    serve_many(origin);
    double leased = 0;
    const LateTally tally = ask_many(far, penstock.address(), connections, [&] {
      leased = std::max(leased, penstock.metrics().sum("penstock_pipes", {{"state", "leased"}}));
    });
    CHECK(tally.complete == connections);
    if (engine == std::string{"splice"}) CHECK(leased > 0);
    penstock.wait_until_rest();
    scenario.settle();
    scenario.saw(fmt::format("{}: of {} connections {}; up to {} pipes held bytes", engine,
                             connections, tally.text(), leased));
  }
  run_rivals(scenario,
             [&](Subject& proxy, Origin& origin) {
               serve_many(origin);
               const LateTally tally = ask_many(far, proxy.address, connections, [] {});
               return fmt::format("of {} connections {}", connections, tally.text());
             },
             {.host = far.our_address("")});
}

}  // namespace

TEST_CASE("B4 FIN behind bytes that wait in a pipe for a slow link", "[faults][b]") {
  fin_behind_slow_link(300);
}

TEST_CASE("B4 FIN behind bytes that wait in a pipe, ten thousand times", "[faults][b][full]") {
  fin_behind_slow_link(10'000);
}

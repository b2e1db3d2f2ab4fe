// A10, A17 and A18: resets while bytes are under way, and what is used again afterwards: pipes and
// descriptors.

#include <fmt/format.h>

#include <csignal>
#include <memory>
#include <random>

#include "catch.hpp"
#include "e2e/faults/crowd.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/network.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

bool ignores_sigpipe(const Program& program) {
  const std::uint64_t mask = std::stoull(program.status_line("SigIgn"), nullptr, 16);
  return (mask >> (SIGPIPE - 1) & 1) != 0;
}

// What came of a churn.
struct ChurnTally {
  std::uint64_t connections = 0;
  std::uint64_t bytes = 0;
  std::uint64_t foreign_bytes = 0;

  void add(const std::vector<Flow>& flows) {
    for (const Flow& flow : flows) {
      bytes += flow.received();
      foreign_bytes += flow.wrong_bytes();
    }
  }
};

// A batch of connections whose pipes are full when their receivers are reset, and then as many that
// get those pipes, to be read to the end.
void recycle_pipes(Penstock& penstock, Origin& origin, std::size_t batch, ChurnTally& tally) {
  Crowd victims{[&] { return penstock.client({.receive_buffer = 4096}); }, origin, batch};
  auto stale = victims.flows(Way::to_client, {.bytes = 100'000, .seed = tally.connections});
  for (Flow& flow : stale) flow.send_some();
  wait_until("every victim's pipe holds bytes", [&] {
    return penstock.metrics().sum("penstock_pipes", {{"state", "leased"}}) >=
           static_cast<double>(batch);
  });
  for (std::size_t i = 0; i < batch; ++i) {
    stale[i].receive_some();
    victims[i].client.reset();
  }
  tally.connections += batch;
  wait_until("no victim has a pipe any more", [&] {
    return penstock.metrics().sum("penstock_pipes", {{"state", "leased"}}) == 0;
  });
  Crowd heirs{[&] { return penstock.client(); }, origin, batch};
  auto fresh =
      both_ways(heirs, {.bytes = 1 + tally.connections % 50'000, .seed = tally.connections});
  run(fresh);
  CHECK(whole_of(fresh) == fresh.size());
  tally.connections += batch;
  tally.add(stale);
  tally.add(fresh);
}

void no_stale_byte(std::uint64_t connections) {
  Scenario scenario{"A17", "receivers reset while pipes hold their bytes; others get the pipes",
                    "no byte of one connection in another"};
  Origin origin;
  constexpr std::size_t batch = 50;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "send_buffer: 4KiB, abort_linger: 100ms",
                     .relay = "engine: splice, pipe_size: 64KiB",
                     .runtime = "forwarders: 1, drain: {timeout: 5s}"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  ChurnTally tally;
  while (tally.connections < connections) recycle_pipes(penstock, origin, batch, tally);
  CHECK(tally.foreign_bytes == 0);
  penstock.wait_for_records(tally.connections, 60s);
  penstock.wait_until_rest();
  CHECK(penstock.metrics().sum("penstock_pipes", {{"state", "leased"}}) == 0);
  scenario.settle();
  scenario.saw(
      fmt::format("{} connections, {} of them reset with their pipe full: {} foreign among "
                  "{} bytes",
                  tally.connections, tally.connections / 2, tally.foreign_bytes, tally.bytes));
}

std::size_t count_of(const std::string& word, const std::string& text) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

// One end resets while the proxy writes to it; how the other end saw that.
std::size_t resets_passed_on(Penstock& penstock, Origin& origin, std::size_t rounds,
                             ChurnTally& tally) {
  std::size_t passed_on = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    Crowd crowd{[&] { return penstock.client({.receive_buffer = 16'384}); }, origin, 1};
    const bool to_client = round % 2 == 0;
    auto flows = crowd.flows(to_client ? Way::to_client : Way::to_upstream,
                             {.bytes = 4 << 20, .seed = run_seed() + round});
    Peer& receiver = to_client ? crowd[0].client : crowd[0].upstream;
    Peer& sender = to_client ? crowd[0].upstream : crowd[0].client;
    const std::uint64_t first_bytes = 1 + round * 997 % 200'000;
    wait_until("bytes are under way", [&] {
      flows[0].send_some();
      flows[0].receive_some();
      return flows[0].received() >= first_bytes;
    });
    receiver.reset();
    sender.wait_for(Ending::reset);
    passed_on += sender.ending() == Ending::reset ? 1 : 0;
    ++tally.connections;
    tally.add(flows);
  }
  return passed_on;
}

// Some connections, of which one after another ends in some way while the others go on.
class Churn {
 public:
  Churn(Penstock& penstock, Origin& origin) : penstock_{penstock}, origin_{origin} {}

  void run_until(std::uint64_t connections) {
    for (const std::uint64_t end = tally_.connections + connections; tally_.connections < end;) {
      if (alive_.size() < 12) begin();
      for (auto& each : alive_) turn(*each);
      if (alive_.size() == 12) finish(random_() % alive_.size());
    }
    while (!alive_.empty()) finish(0);
  }
  const ChurnTally& tally() const noexcept { return tally_; }

 private:
  struct Alive {
    Crowd crowd;
    std::vector<Flow> flows;
  };

  void begin() {
    auto fresh = std::make_unique<Alive>(
        Alive{Crowd{[this] { return penstock_.client(); }, origin_, 1}, {}});
    fresh->flows = both_ways(fresh->crowd, {.bytes = random_() % 60'000,
                                            .seed = run_seed() + tally_.connections,
                                            .segment = 1 + random_() % 30'000});
    alive_.push_back(std::move(fresh));
    ++tally_.connections;
  }

  void turn(Alive& one) {
    for (Flow& flow : one.flows) {
      flow.send_some();
      flow.receive_some();
    }
  }

  void run_to_the_end(Alive& one) {
    run(one.flows);
    CHECK(whole_of(one.flows) == one.flows.size());
  }

  void finish(std::size_t index) {
    Alive& one = *alive_[index];
    auto& [client, upstream] = one.crowd[0];
    switch (random_() % 5) {
      case 0: client.reset(); break;
      case 1: upstream.reset(); break;
      case 2: client.close(); break;
      case 3: upstream.close(); break;
      default: run_to_the_end(one);
    }
    tally_.add(one.flows);
    alive_.erase(alive_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  Penstock& penstock_;
  Origin& origin_;
  std::mt19937_64 random_{run_seed()};
  std::vector<std::unique_ptr<Alive>> alive_;
  ChurnTally tally_;
};

}  // namespace

TEST_CASE("A10 the receiver resets while the proxy writes to it", "[faults][a][sanitize]") {
  Scenario scenario{"A10", "the receiver resets (SO_LINGER 0) while splice writes to it",
                    "no SIGPIPE death; the sender gets RST"};
  INFO("PENSTOCK_SEED=" << run_seed());
  const std::size_t rounds = is_sanitized() ? 40 : 150;
  ChurnTally tally;
  std::size_t passed_on = 0;
  for (const char* engine : {"engine: splice", "engine: adaptive"}) {
    Origin origin{free_address(), {.receive_buffer = 16'384}};
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    CHECK(ignores_sigpipe(penstock.program()));
    passed_on += resets_passed_on(penstock, origin, rounds, tally);
    penstock.wait_until_rest();
    CHECK(penstock.program().running());
    scenario.settle();
  }
  CHECK(passed_on == 2 * rounds);
  CHECK(tally.foreign_bytes == 0);
  scenario.verdict("sender", Ending::reset);
  scenario.saw(fmt::format("{} of {} senders got RST, 0 deaths, SIGPIPE is ignored", passed_on,
                           tally.connections));
}

TEST_CASE("A10 splice meets dead sockets", "[faults][a]") {
  if (!can_trace() || is_sanitized()) return;
  Origin origin{free_address(), {.receive_buffer = 16'384}};
  Penstock penstock{{.endpoints = {origin.address()}, .relay = "engine: splice"}};
  ChurnTally tally;
  Tracer tracer{penstock.program().id(), {"-e", "trace=splice", "-e", "signal=SIGPIPE"}};
  resets_passed_on(penstock, origin, 60, tally);
  const std::string calls = tracer.detach();
  CHECK(count_of(" = -1 EPIPE", calls) + count_of(" = -1 ECONNRESET", calls) > 0);
  CHECK(penstock.program().running());
}

TEST_CASE("A17 a pipe that held another connection's bytes", "[faults][a][sanitize]") {
  no_stale_byte(is_sanitized() ? 1000 : 2000);
}

TEST_CASE("A17 recycled pipes over a hundred thousand connections", "[faults][a][full]") {
  no_stale_byte(100'000);
}

TEST_CASE("A18 descriptors used again under churn and resets", "[faults][a][sanitize]") {
  Scenario scenario{"A18", "churn and resets on two threads; close is slow",
                    "no event of a closed descriptor reaches its heir"};
  INFO("PENSTOCK_SEED=" << run_seed());
  Origin origin;
  // An upstream that resets before penstock has seen it answer counts as a failed attempt: a second
  // one would be a connection that the churn does not expect.
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "abort_linger: 100ms",
                     .upstream = "connect: {attempts: 1}",
                     .relay = "engine: splice",
                     .runtime = "forwarders: 2, drain: {timeout: 5s}"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  Churn churn{penstock, origin};
  churn.run_until(is_sanitized() ? 500 : 2000);
  std::size_t delayed = 0;
  if (!is_sanitized() && can_trace()) {
    Tracer tracer{penstock.program().id(), {"-e", "inject=close:delay_exit=2000"}};
    churn.run_until(150);
    delayed = tracer.injected();
    CHECK(delayed > 0);
  }
  const ChurnTally& tally = churn.tally();
  CHECK(tally.foreign_bytes == 0);
  penstock.wait_for_records(tally.connections, 60s);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} connections, {} calls of close held up for 2 ms: {} foreign among {} "
                  "bytes",
                  tally.connections, delayed, tally.foreign_bytes, tally.bytes));
}

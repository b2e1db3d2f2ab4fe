// A4, A8, A9 and A19: splice(2), its neighbours and pipe2(2) answer as a kernel in trouble would.

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <deque>

#include "catch.hpp"
#include "e2e/faults/baseline.hpp"
#include "e2e/faults/crowd.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/network.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

const std::string one_forwarder = "forwarders: 1, drain: {timeout: 5s}";

// When no admin connection of ours is open any more.
double fallbacks(const Penstock& penstock, const std::string& reason) {
  return penstock.metrics().sum("penstock_pipe_fallbacks_total", {{"reason", reason}});
}

void note_flows(Scenario& scenario, const std::vector<Flow>& flows) {
  scenario.delivered(Way::to_upstream, flows.front().received(), flows.front().digest());
  scenario.delivered(Way::to_client, flows.back().received(), flows.back().digest());
  scenario.verdict("upstream", flows.front().ending());
  scenario.verdict("client", flows.back().ending());
}

// An acceptor that is told "nobody waits" looks again when the next client comes.
void accept_storm(Scenario& scenario) {
  constexpr std::size_t count = 40;
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  std::deque<Peer> clients;
  std::size_t injected = 0;
  {
    Tracer tracer{penstock.program().id(), {"-e", "inject=accept4:error=EAGAIN:when=1+2"}};
    for (std::size_t i = 0; i < count; ++i) clients.push_back(penstock.client());
    wait_until("the storm has begun", [&] { return tracer.injected() > 0; });
    injected = tracer.injected();
  }
  clients.push_back(penstock.client());
  for (std::size_t i = 0; i < clients.size(); ++i) origin.accept();
  scenario.saw(
      fmt::format("{} false EAGAIN of accept4, {} of {} clients served", injected, count, count));
}

// Both ends talk until each has heard `bytes`, and say a word more whenever all stands still: a
// false EAGAIN takes an edge away, and only the next event of that socket brings it back.
void talk_through(std::vector<Flow>& flows, std::uint64_t bytes) {
  const auto heard = [bytes](const Flow& flow) { return flow.received() >= bytes; };
  const auto end = Clock::now() + 60s;
  while (!std::all_of(flows.begin(), flows.end(), heard)) {
    if (Clock::now() > end) throw Failure{"a stream stands still in the storm"};
    bool moved = false;
    for (Flow& flow : flows) {
      if (flow.sent() - flow.received() < 65'536) moved = flow.send_some() || moved;
      moved = flow.receive_some() || moved;
    }
    if (moved) continue;
    ::poll(nullptr, 0, 1);
    for (Flow& flow : flows) flow.send_some(1);
  }
}

struct Storm {
  std::string name;
  std::vector<std::string> words;
};
const std::vector<Storm> storms{
    {"EINTR",
     {"-e",
      "inject=splice,recvfrom,sendto,epoll_wait,io_uring_enter,accept4:error=EINTR:"
      "when=2+3"}},
    {"EAGAIN", {"-e", "inject=splice:error=EAGAIN:when=2+3"}},
};

// One connection for each seed, both ways; equal hashes at the end.
void survive_storms(std::size_t seeds) {
  Scenario scenario{"A8",
                    "storms of EINTR (every call of the byte path) and EAGAIN (splice, accept4)",
                    "the same output as without"};
  INFO("PENSTOCK_SEED=" << run_seed());
  constexpr std::uint64_t stormy_bytes = 128 << 10;
  for (const Storm& storm : storms) {
    INFO(storm.name);
    Origin origin;
    Penstock penstock{
        {.endpoints = {origin.address()}, .relay = "engine: splice", .runtime = one_forwarder}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    std::deque<Crowd> crowds;
    std::vector<std::vector<Flow>> all;
    std::size_t injected = 0;
    {
      Tracer tracer{penstock.program().id(), storm.words};
      for (std::size_t seed = 0; seed < seeds; ++seed) {
        Crowd& crowd = crowds.emplace_back([&] { return penstock.client(); }, origin, 1);
        all.push_back(both_ways(crowd, {.bytes = 4 * stormy_bytes, .seed = run_seed() + seed}));
        talk_through(all.back(), stormy_bytes);
      }
      injected = tracer.injected();
    }
    std::size_t equal = 0;
    for (auto& flows : all) {
      run(flows);
      equal += whole_of(flows) == flows.size() ? 1 : 0;
    }
    CHECK(injected > seeds);
    CHECK(equal == seeds);
    note_flows(scenario, all.back());
    crowds.clear();
    penstock.wait_until_rest();
    scenario.settle();
    scenario.saw(fmt::format("{}: {} calls failed, {} of {} seeds with equal hashes both ways",
                             storm.name, injected, equal, seeds));
  }
  accept_storm(scenario);
}

}  // namespace

TEST_CASE("A4 splice answers 0 although bytes are queued", "[faults][a]") {
  if (skip_without({"strace"}) || !can_trace()) return;
  Scenario scenario{"A4", "splice gives 0 without moving what is queued, again and again",
                    "no false end: the stream goes on, every byte, FIN last"};
  INFO("PENSTOCK_SEED=" << run_seed());
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .relay = "engine: splice", .runtime = one_forwarder}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  std::size_t injected = 0;
  // An odd and an even step, so that reads and writes are both hit.
  for (const char* when : {"3+5", "4+2", "3+2"}) {
    INFO(when);
    Crowd crowd{[&] { return penstock.client(); }, origin, 1};
    auto flows = both_ways(crowd, {.bytes = 8 << 20, .seed = run_seed()});
    Tracer tracer{penstock.program().id(),
                  {"-e", fmt::format("inject=splice:retval=0:when={}", when)}};
    run(flows);
    injected += tracer.injected();
    CHECK(tracer.injected() > 0);
    CHECK(whole_of(flows) == flows.size());
    note_flows(scenario, flows);
  }
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format("{} false zeros, 0 false ends; the pipe was given up {:.0f} times",
                           injected, fallbacks(penstock, "refused")));
}

TEST_CASE("A9 splice is refused in the middle of a stream", "[faults][a]") {
  if (skip_without({"strace"}) || !can_trace()) return;
  Scenario scenario{"A9", "splice fails by EINVAL, ENOSYS, ENOMEM, on the way in and out",
                    "the stream goes on by copy, and that is counted"};
  INFO("PENSTOCK_SEED=" << run_seed());
  std::size_t streams = 0;
  for (const char* error : {"EINVAL", "ENOSYS", "ENOMEM"}) {
    Origin origin;
    Penstock penstock{
        {.endpoints = {origin.address()}, .relay = "engine: splice", .runtime = one_forwarder}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    for (const char* when : {"5", "6", "7+1"}) {
      INFO(error << " when " << when);
      const double before = fallbacks(penstock, "refused");
      Crowd crowd{[&] { return penstock.client(); }, origin, 1};
      auto flows = both_ways(crowd, {.bytes = 8 << 20, .seed = run_seed()});
      Tracer tracer{penstock.program().id(),
                    {"-e", fmt::format("inject=splice:error={}:when={}", error, when)}};
      run(flows);
      CHECK(tracer.injected() > 0);
      CHECK(whole_of(flows) == flows.size());
      CHECK(fallbacks(penstock, "refused") > before);
      streams += whole_of(flows);
      note_flows(scenario, flows);
    }
    penstock.wait_until_rest();
    scenario.settle();
    scenario.saw(
        fmt::format("{}: {:.0f} fallbacks counted", error, fallbacks(penstock, "refused")));
  }
  scenario.saw(fmt::format("{} of 18 streams whole", streams));
}

TEST_CASE("A8 storms of EINTR and EAGAIN", "[faults][a]") {
  if (skip_without({"strace"}) || !can_trace()) return;
  survive_storms(6);
}

TEST_CASE("A8 storms of EINTR and EAGAIN over two hundred seeds", "[faults][a][full]") {
  if (skip_without({"strace"}) || !can_trace()) return;
  survive_storms(200);
}

TEST_CASE("A19 no pipe is to be had in the middle of the work", "[faults][a]") {
  if (skip_without({"strace"}) || !can_trace()) return;
  Scenario scenario{"A19", "every second pipe2 fails by EMFILE",
                    "those streams are copied; no descriptor is lost"};
  INFO("PENSTOCK_SEED=" << run_seed());
  Origin origin{free_address(), {.receive_buffer = 16'384}};
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "receive_buffer: 16KiB, send_buffer: 16KiB",
                     .relay = "engine: splice, pipe_size: 64KiB",
                     .runtime = one_forwarder}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const std::size_t before = descriptors_at_rest(penstock);
  Tracer tracer{penstock.program().id(), {"-e", "inject=pipe2:error=EMFILE:when=2+2"}};
  std::size_t streams = 0;
  std::size_t whole = 0;
  // After a refusal the pool asks again a second later.
  const auto end = Clock::now() + 60s;
  while (tracer.injected() < 3 && Clock::now() < end) {
    Crowd crowd{[&] { return penstock.client({.receive_buffer = 16'384}); }, origin, 6};
    auto flows = both_ways(crowd, {.bytes = 256 << 10, .seed = run_seed() + streams});
    stuff(flows);
    run(flows);
    streams += flows.size();
    whole += whole_of(flows);
    note_flows(scenario, flows);
  }
  const std::size_t injected = tracer.injected();
  tracer.detach();
  CHECK(injected >= 3);
  CHECK(whole == streams);
  CHECK(fallbacks(penstock, "no_descriptor") > 0);
  penstock.wait_until_rest();
  const auto warm =
      static_cast<std::size_t>(penstock.metrics().sum("penstock_pipes", {{"state", "idle"}}));
  wait_until("no descriptor is lost",
             [&] { return descriptors_at_rest(penstock) == before + 2 * warm; });
  scenario.settle();
  scenario.saw(fmt::format(
      "{} refusals, {:.0f} fallbacks counted; {} of {} streams whole; 0 descriptors lost ({} warm "
      "pipes stay)",
      injected, fallbacks(penstock, "no_descriptor"), whole, streams, warm));
}

// A5 to A7 and A13: pipes that are full, by slots and by bytes, while nobody reads.

#include <fmt/format.h>

#include <algorithm>

#include "catch.hpp"
#include "e2e/faults/crowd.hpp"
#include "e2e/faults/relay_pipes.hpp"
#include "e2e/faults/rival.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/network.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

// Little fits into sockets this small, and the pipe between them has to take the rest.
const std::string small_buffers = "receive_buffer: 4KiB, send_buffer: 4KiB";
const Origin::Options small_origin{.receive_buffer = 4096};

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

}  // namespace

TEST_CASE("A5 one-byte segments fill every slot while the receiver stands still",
          "[faults][a][sanitize]") {
  constexpr std::size_t count = 40;
  constexpr std::size_t segments = 12'000;
  // A busy machine joins segments until the sockets take them all (a socket with room for a byte
  // takes up to 64 KiB at once): what follows them fills every pipe on any machine.
  constexpr std::size_t behind = 512 * 1024;
  Scenario scenario{"A5", "one-byte segments, the receiver stands still, then reads again",
                    "no connection stalls; every byte, then FIN"};
  const Script script = [](Subject& proxy, Origin& origin) {
    Crowd crowd{[&] { return proxy.client(); }, origin, 20};
    auto flows = crowd.flows(Way::to_upstream, {.bytes = 3000, .seed = run_seed(), .segment = 1});
    stuff(flows);
    run(flows, 5s);
    return fmt::format("{} of {} connections whole", whole_of(flows), flows.size());
  };
  INFO("PENSTOCK_SEED=" << run_seed());
  Origin origin{free_address(), small_origin};
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = small_buffers,
                     .relay = "engine: splice, pipe_size: 64KiB"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  Crowd crowd{[&] { return penstock.client(); }, origin, count};
  auto flows = crowd.flows(
      Way::to_upstream,
      {.bytes = segments + behind, .seed = run_seed(), .segment = 1, .segmented = segments});
  stuff(flows);
  const auto filled = await_filled_pipes(penstock.program(), count);
  const auto [fewest, most] = std::minmax_element(
      filled.begin(), filled.end(), [](auto& one, auto& other) { return one.bytes < other.bytes; });
  const auto begin = Clock::now();
  run(flows);
  const double drained = milliseconds_since(begin);
  CHECK(whole_of(flows) == count);
  scenario.delivered(Way::to_upstream, flows[0].received(), flows[0].digest());
  scenario.verdict("upstream", flows[0].ending());
  crowd.leave();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format(
      "{} pipes of 64 KiB held up the rest, with {} to {} bytes each; {} of {} connections "
      "stalled, "
      "{} one-byte segments, and {} bytes behind those of each, out in {:.0f} ms",
      filled.size(), filled.empty() ? 0 : fewest->bytes, filled.empty() ? 0 : most->bytes,
      count - whole_of(flows), count, count * segments, behind, drained));
  run_rivals(scenario, script, {.origin = small_origin});
}

TEST_CASE("A6 FIN behind a full pipe", "[faults][a][sanitize]") {
  constexpr std::size_t count = 40;
  Scenario scenario{"A6", "the server stops reading, the client sends and finishes; it reads again",
                    "FIN after the last byte, never before, never lost"};
  // Below, at and above what a pipe takes.
  const auto flows_of = [](Crowd& crowd) {
    std::vector<Flow> flows;
    for (std::size_t i = 0; i < crowd.size(); ++i)
      flows.emplace_back(
          crowd[i].client, crowd[i].upstream,
          FlowOptions{.bytes = 65'536 - 20 + i * (i % 2 == 0 ? 1 : 1024), .seed = run_seed() + i});
    return flows;
  };
  const Script script = [&](Subject& proxy, Origin& origin) {
    Crowd crowd{[&] { return proxy.client(); }, origin, 20};
    auto flows = flows_of(crowd);
    stuff(flows);
    run(flows, 5s);
    return fmt::format("{} of {} connections whole, FIN last", whole_of(flows), flows.size());
  };
  INFO("PENSTOCK_SEED=" << run_seed());
  Origin origin{free_address(), small_origin};
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "send_buffer: 4KiB, receive_buffer: 200KiB",
                     .relay = "engine: splice, pipe_size: 64KiB"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  Crowd crowd{[&] { return penstock.client(); }, origin, count};
  auto flows = flows_of(crowd);
  stuff(flows);
  wait_until("every FIN waits behind a pipe",
             [&] { return sockets_by_state({penstock.address()})["CLOSE_WAIT"] == count; });
  const std::size_t filled = await_filled_pipes(penstock.program(), count).size();
  std::size_t early = 0;
  for (std::size_t i = 0; i < count; ++i)
    early += crowd[i].upstream.ending() == Ending::open ? 0 : 1;
  CHECK(early == 0);
  run(flows);
  CHECK(whole_of(flows) == count);
  scenario.delivered(Way::to_upstream, flows[0].received(), flows[0].digest());
  scenario.verdict("upstream", flows[0].ending());
  crowd.leave();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format("{} pipes full with FIN behind them, {} early FINs; {} of {} whole",
                           filled, early, whole_of(flows), count));
  run_rivals(scenario, script, {.origin = small_origin});
}

TEST_CASE("A7 how full a pipe becomes in bulk over a large MTU", "[faults][a][sanitize]") {
  Scenario scenario{"A7", "bulk over loopback (MTU 65536) into 64 KiB pipes that stand full",
                    "no assertion, and every byte counted, whatever a pipe holds"};
  INFO("PENSTOCK_SEED=" << run_seed());
  constexpr std::size_t count = 8;
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "send_buffer: 64KiB",
                     .relay = "engine: splice, pipe_size: 64KiB"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  Crowd crowd{[&] { return penstock.client({.receive_buffer = 65'536}); }, origin, count};
  auto flows = crowd.flows(Way::to_client, {.bytes = 12 << 20, .seed = run_seed()});
  PipeFill fullest{.bytes = 0, .capacity = 1};
  for (int round = 0; round < 4; ++round) {
    stuff(flows);
    for (const PipeFill& pipe : filled_pipes(penstock.program()))
      if (pipe.bytes * fullest.capacity > fullest.bytes * pipe.capacity) fullest = pipe;
    for (Flow& flow : flows) flow.receive_some();
  }
  CHECK(fullest.bytes > 0);
  // Ours asks for no more than a pipe's size, although the kernel would give four times that.
  CHECK(fullest.bytes <= fullest.capacity);
  run(flows);
  CHECK(whole_of(flows) == count);
  std::uint64_t received = 0;
  for (const Flow& flow : flows) received += flow.received();
  CHECK(penstock.metrics().sum("penstock_bytes_total", {{"direction", "to_client"}}) ==
        static_cast<double>(received));
  scenario.delivered(Way::to_client, flows[0].received(), flows[0].digest());
  scenario.verdict("client", flows[0].ending());
  crowd.leave();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format(
      "at most {} bytes in a pipe of {} ({:.2f}); {} bytes relayed and counted", fullest.bytes,
      fullest.capacity, static_cast<double>(fullest.bytes) / static_cast<double>(fullest.capacity),
      received));
}

TEST_CASE("A13 both receivers stand still and both pipes are full", "[faults][a]") {
  Scenario scenario{"A13", "both receivers stand still, both pipes full",
                    "the proxy sleeps; both directions go on afterwards"};
  const Peer::Options narrow{.receive_buffer = 65'536, .send_buffer = 65'536};
  const Origin::Options narrow_origin{.receive_buffer = 65'536};
  const Script script = [&](Subject& proxy, Origin& origin) {
    Crowd crowd{[&] { return proxy.client(narrow); }, origin, 2};
    auto flows = both_ways(crowd, {.bytes = 12 << 20, .seed = run_seed()});
    stuff(flows);
    const double ticks = proxy.idle_ticks(1s);
    run(flows, 10s);
    return fmt::format("{:.0f} ticks in 1 s, then {} of {} directions whole{}", ticks,
                       whole_of(flows), flows.size(), first_fault(flows));
  };
  INFO("PENSTOCK_SEED=" << run_seed());
  Origin origin{free_address(), narrow_origin};
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "receive_buffer: 64KiB, send_buffer: 64KiB",
                     .relay = "engine: splice, pipe_size: 64KiB"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const std::size_t before = can_trace() ? scenario.wakeups() : 0;
  Crowd crowd{[&] { return penstock.client(narrow); }, origin, 2};
  auto flows = both_ways(crowd, {.bytes = 12 << 20, .seed = run_seed()});
  stuff(flows);
  const std::size_t filled = await_filled_pipes(penstock.program(), flows.size()).size();
  const double ticks = scenario.idle_ticks();
  const std::size_t after = can_trace() ? scenario.wakeups() : 0;
  // The kernel's answers to probes of a closed window may wake it now and then.
  CHECK(after <= before + 100);
  run(flows);
  CHECK(whole_of(flows) == flows.size());
  scenario.delivered(Way::to_upstream, flows.front().received(), flows.front().digest());
  scenario.delivered(Way::to_client, flows.back().received(), flows.back().digest());
  scenario.verdict("upstream", flows.front().ending());
  scenario.verdict("client", flows.back().ending());
  crowd.leave();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format(
      "{} pipes full: {:.0f} ticks and {} returns of epoll_wait in 1 s ({} before); {} of {} "
      "directions whole",
      filled, ticks, after, before, whole_of(flows), flows.size()));
  run_rivals(scenario, script, {.origin = narrow_origin});
}

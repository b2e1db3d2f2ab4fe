// A12, A14 and A16: receivers that are slow, and the last byte of an object.

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include "catch.hpp"
#include "e2e/faults/crowd.hpp"
#include "e2e/faults/far_host.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/network.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// The reader's window is closed for as long; then it reads again.
void closed_window(Milliseconds duration, const std::string& timeouts) {
  Scenario scenario{
      "A12",
      fmt::format("a closed window for {} s, then the reader returns", duration.count() / 1000),
      "no timeout (a peer that answers probes lives); the stream goes on"};
  INFO("PENSTOCK_SEED=" << run_seed());
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = "send_buffer: 64KiB" + timeouts,
                     .relay = "engine: splice"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  Crowd crowd{[&] { return penstock.client({.receive_buffer = 4096}); }, origin, 1};
  auto flows = crowd.flows(Way::to_client, {.bytes = 12 << 20, .seed = run_seed()});
  stuff(flows);
  Flow& flow = flows[0];
  CHECK(flow.sent() < 12 << 20);
  holds_for(duration, "the connection lives", [&] {
    return crowd[0].client.ending() == Ending::open && crowd[0].upstream.ending() == Ending::open;
  });
  int queued = 0;
  ::ioctl(crowd[0].client.descriptor(), FIONREAD, &queued);
  const auto begin = Clock::now();
  wait_until("bytes come that were not there before", [&] {
    flow.receive_some();
    return flow.received() > static_cast<std::uint64_t>(queued);
  });
  const double latency = milliseconds_since(begin);
  run(flows);
  CHECK(flow.whole());
  scenario.delivered(Way::to_client, flow.received(), flow.digest());
  scenario.verdict("client", flow.ending());
  crowd.leave();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("open after {} s; the next byte came {:.1f} ms after the reader; all {} "
                  "bytes, FIN",
                  duration.count() / 1000, latency, flow.received()));
}

bool no_far_host() {
  return !network_is_ours() || skip_without({"ip", "tc"});
}

}  // namespace

TEST_CASE("A12 a window that is closed for longer than the peer timeout", "[faults][a]") {
  closed_window(4s, ", peer_timeout: 1s");
}

TEST_CASE("A12 a window that is closed for a minute", "[faults][a][full]") {
  closed_window(60s, "");
}

TEST_CASE("A14 a fast sender and a receiver behind 5 Mbit/s", "[faults][a]") {
  if (no_far_host()) return;
  Scenario scenario{"A14", "a fast sender, a receiver behind 5 Mbit/s (tbf)",
                    "the sender is throttled; memory stays flat"};
  INFO("PENSTOCK_SEED=" << run_seed());
  FarHost far;
  far.shape_towards("tbf rate 5mbit burst 16kb latency 400ms");
  Origin origin;
  const std::string bind = "0.0.0.0:" + port_of(free_address());
  Penstock penstock{{.endpoints = {origin.address()},
                     .bind = bind,
                     .listener = "receive_buffer: 64KiB, send_buffer: 64KiB",
                     .relay = "engine: splice"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const auto from_there = [&] {
    const FarHost::Visit visit{far};
    return Peer::connect(far.our_address(port_of(bind)), {.receive_buffer = 65'536});
  };
  Crowd crowd{from_there, origin, 1};
  const int send_buffer = 65'536;
  ::setsockopt(crowd[0].upstream.descriptor(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(int));
  const long resident_before = std::stol(penstock.program().status_line("VmRSS"));
  constexpr std::uint64_t total = 3 << 20;
  auto flows = crowd.flows(Way::to_client, {.bytes = total, .seed = run_seed()});
  Flow& flow = flows[0];
  std::uint64_t held_max = 0;
  long resident_max = resident_before;
  const auto begin = Clock::now();
  wait_until(
      "all is there",
      [&] {
        while (flow.send_some()) continue;
        held_max = std::max(held_max, flow.sent() - flow.received());
        resident_max = std::max(resident_max, std::stol(penstock.program().status_line("VmRSS")));
        while (flow.receive_some()) continue;
        return flow.finished();
      },
      60s);
  const double spent = milliseconds_since(begin);
  CHECK(flow.whole());
  // Four socket buffers of twice 64 KiB (the kernel doubles what is asked for), a pipe of 256 KiB,
  // and a last piece on top of each.
  CHECK(held_max <= 1 << 20);
  CHECK(resident_max - resident_before < 4096);
  scenario.delivered(Way::to_client, flow.received(), flow.digest());
  scenario.verdict("client", flow.ending());
  crowd.leave();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format(
      "{} bytes in {:.1f} s ({:.1f} Mbit/s); at most {} KiB between sender and "
      "receiver; resident memory {:+} KiB",
      flow.received(), spent / 1000, static_cast<double>(flow.received()) * 8 / spent / 1000,
      held_max / 1024, resident_max - resident_before));
}

TEST_CASE("A16 the odd last byte of an object is not held back", "[faults][a]") {
  if (no_far_host() || skip_without({"strace"}) || !can_trace()) return;
  Scenario scenario{"A16", "objects of 1448 k + 1 bytes over an MTU of 1500, connection kept open",
                    "the last byte is sent at once: nothing is corked"};
  INFO("PENSTOCK_SEED=" << run_seed());
  FarHost far;
  far.shape_towards("tbf rate 1gbit burst 64kb latency 50ms");
  for (const char* engine : {"engine: splice", "engine: copy"}) {
    INFO(engine);
    Origin origin;
    const std::string bind = "0.0.0.0:" + port_of(free_address());
    Penstock penstock{{.endpoints = {origin.address()}, .bind = bind, .relay = engine}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    const auto from_there = [&] {
      const FarHost::Visit visit{far};
      return Peer::connect(far.our_address(port_of(bind)));
    };
    Crowd crowd{from_there, origin, 1};
    std::vector<double> latencies;
    std::uint64_t bytes = 0;
    std::string calls;
    for (const bool traced : {false, true}) {
      std::optional<Tracer> tracer;
      if (traced)
        tracer.emplace(penstock.program().id(),
                       std::vector<std::string>{"-e", "trace=splice,sendto,sendmsg,setsockopt"});
      for (std::size_t k = 1; k <= 40; ++k) {
        const auto object = payload(run_seed() + k, 1448 * k + 1);
        crowd[0].upstream.send(object);
        const auto begin = Clock::now();
        const bool equal = crowd[0].client.read(object.size()) == object;
        CHECK(equal);
        if (!traced) latencies.push_back(milliseconds_since(begin));
        bytes += object.size();
      }
      if (tracer) calls = tracer->detach();
    }
    // The calls were seen, and none of them asks the kernel to wait for more.
    CHECK(calls.find(std::string{engine} == "engine: splice" ? "splice(" : "sendto(") !=
          std::string::npos);
    for (const char* cork : {"SPLICE_F_MORE", "MSG_MORE", "TCP_CORK"})
      CHECK(calls.find(cork) == std::string::npos);
    std::sort(latencies.begin(), latencies.end());
    crowd.leave();
    penstock.wait_until_rest();
    scenario.settle();
    scenario.saw(fmt::format(
        "{}: {} objects; last byte in to out {:.2f} ms at the median, {:.2f} at "
        "most; no call corks",
        engine + 8, latencies.size() * 2, latencies[latencies.size() / 2], latencies.back()));
  }
}

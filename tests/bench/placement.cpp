// What it costs to accept a connection, to steer it, to choose its forwarder, and to reach its
// record on this node and on another. Part of the program micro (scripts/bench --micro).

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <stdexcept>

#include "os/numa.hpp"
#include "os/reuseport.hpp"
#include "os/topology.hpp"
#include "runtime/hand_off.hpp"
#include "runtime/node_arena.hpp"
#include "session/proxy_session.hpp"

namespace {

using namespace penstock;

// CPUs that no machine has: with them in every rule the kernel's hash chooses.
constexpr int no_cpu = 4000;

os::ListenGroup listeners(const std::vector<os::SteeringRule>& rules) {
  os::IpEndpoint loopback = os::parse_socket_address("127.0.0.1:1")->ip();
  loopback.port = 0;  // the kernel's choice
  auto group = os::listen_as_group(os::SocketAddress{loopback}, {}, {}, rules);
  if (!group) throw std::runtime_error{group.error()};
  return std::move(*group);
}

std::vector<os::SteeringRule> rules_of(std::int64_t kind) {
  switch (kind) {
    case 0: return {{.cpus = os::thread_affinity()}};
    case 1: return {{.cpus = {no_cpu}}, {.cpus = {no_cpu + 1}, .first = 1}};
    default: return {{.cpus = {no_cpu}}, {.cpus = os::thread_affinity(), .first = 1}};
  }
}

// A handshake on loopback, accept4, and the end of both sockets: the same for each, so that the
// differences are what a group and its program cost.
void connect_and_accept(benchmark::State& state) {
  const os::ListenGroup group = listeners(rules_of(state.range(0)));
  const os::SocketAddress address{os::local_endpoint(group.sockets.front().get())};
  std::size_t refused = 0;
  for (auto _ : state) {
    const auto client = os::connect_to(address, {});
    os::IpEndpoint peer;
    bool accepted = false;
    for (auto socket = group.sockets.rbegin(); !accepted && socket != group.sockets.rend();
         ++socket)
      if (const auto server = os::accept_from(socket->get(), peer)) {
        accepted = true;
        os::reset_on_close(server->get());
      }
    refused += accepted ? 0 : 1;
  }
  static constexpr const char* labels[] = {"one socket", "two, by the kernel's hash",
                                           "two, by the CPU"};
  state.SetLabel(labels[state.range(0)]);
  if (refused > 0) state.SkipWithError("a connection was not there at once");
}
BENCHMARK(connect_and_accept)->ArgName("group")->DenseRange(0, 2);

void choose_forwarder(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto nodes = static_cast<std::size_t>(state.range(1));
  std::vector<bool> near(count);
  for (std::size_t i = 0; i < count; ++i) near[i] = i % nodes == 0;
  runtime::HandOff hand_off{near};
  std::vector<std::size_t> loads(count, 100);
  const os::IpEndpoint peer = os::parse_socket_address("192.0.2.1:80")->ip();
  for (auto _ : state) benchmark::DoNotOptimize(hand_off.choose(loads, peer));
}
BENCHMARK(choose_forwarder)->ArgNames({"forwarders", "nodes"})->ArgsProduct({{2, 16, 64}, {1, 2}});

// The records of a hundred thousand connections, each touched once a round in no order, by a thread
// of the first node.
void reach_records(benchmark::State& state) {
  constexpr std::size_t count = 100'000;
  constexpr std::size_t stride = sizeof(session::ProxySession);
  const os::NumaTopology topology = os::numa_topology();
  const auto at = static_cast<std::size_t>(state.range(0));
  if (at >= topology.nodes.size() || !topology.nodes[at].gives_memory())
    return state.SkipWithError("one node: nothing to compare");
  os::bind_thread_to_cpus({topology.nodes.front().cpus.front()});
  const auto arena = runtime::NodeArena::create(
      {.memory = runtime::MemoryPolicy::bound, .memory_node = topology.nodes[at].id});
  auto* const records = static_cast<std::byte*>(arena->allocate(count * stride, 64));
  std::fill(records, records + count * stride, std::byte{1});
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937{1});
  for (auto _ : state)
    for (const std::uint32_t one : order)
      benchmark::DoNotOptimize(records[one * stride] ^= std::byte{1});
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
  state.SetLabel("distance " + std::to_string(topology.nodes.front().distances.at(at)));
}
BENCHMARK(reach_records)->ArgName("node")->DenseRange(0, 1)->Unit(benchmark::kMillisecond);

}  // namespace

#include "runtime/placement.hpp"

#include <algorithm>

#include "catch.hpp"

using namespace penstock;
using runtime::MemoryPolicy;
using runtime::NumaMode;
using runtime::Pin;
using runtime::Placement;

namespace {

os::NumaNode node(int id, std::vector<int> cpus, std::vector<int> distances,
                  std::uint64_t memory = 1024) {
  return {.id = id,
          .cpus = cpus,
          .online_cpus = cpus,
          .memory_bytes = memory,
          .free_bytes = memory / 2,
          .distances = std::move(distances)};
}

os::NumaTopology two_nodes() {
  return {.nodes = {node(0, {0, 1}, {10, 21}), node(1, {2, 3}, {21, 10})}};
}

runtime::Options pinned_to(Pin pin) {
  runtime::Options options;
  options.pin = pin;
  return options;
}

runtime::Options in_mode(NumaMode numa) {
  runtime::Options options;
  options.numa = numa;
  return options;
}

runtime::Options with_acceptors(std::size_t count) {
  runtime::Options options;
  options.acceptors = count;
  return options;
}

Placement plan_of(const runtime::Options& options, const os::NumaTopology& topology,
                  const std::vector<os::NetworkDevice>& devices = {}) {
  auto planned = runtime::plan_placement(options, topology, devices);
  REQUIRE(planned.has_value());
  return *planned;
}

std::string refusal_of(const runtime::Options& options, const os::NumaTopology& topology) {
  auto planned = runtime::plan_placement(options, topology, {});
  REQUIRE(planned.has_error());
  return planned.error();
}

std::vector<int> nodes_of(const Placement& plan) {
  std::vector<int> nodes;
  for (const auto& thread : plan.forwarders) nodes.push_back(thread.node);
  return nodes;
}

bool says(const Placement& plan, const std::string& sentence) {
  CAPTURE(plan.decisions);
  return std::find(plan.decisions.begin(), plan.decisions.end(), sentence) != plan.decisions.end();
}

}  // namespace

TEST_CASE("the automatic number of forwarders is the smaller of CPUs and quota, rounded up",
          "[runtime]") {
  CHECK(runtime::forwarder_count(0, 8, 0) == 8);
  CHECK(runtime::forwarder_count(0, 8, 2.5) == 3);
  CHECK(runtime::forwarder_count(0, 2, 16) == 2);
  CHECK(runtime::forwarder_count(0, 64, 0.25) == 1);
  CHECK(runtime::forwarder_count(3, 8, 1) == 3);
}

TEST_CASE("one forwarder for each CPU, in turn over the nodes, pinned to its node", "[runtime]") {
  const Placement plan = plan_of({}, two_nodes());
  CHECK(nodes_of(plan) == std::vector<int>{0, 1, 0, 1});
  CHECK(plan.forwarders[1].cpus == std::vector<int>{2, 3});
  CHECK(plan.forwarders[1].memory == MemoryPolicy::local);
  CHECK(plan.forwarders[1].memory_node == 1);
  CHECK(says(plan, "4 forwarders: one for each of 4 usable CPUs"));
  CHECK(says(plan, "2 forwarders on node 1, pinned to its CPUs 2-3"));
}

TEST_CASE("nodes get forwarders by the number of their CPUs", "[runtime]") {
  const os::NumaTopology uneven{.nodes = {node(0, {0}, {10, 21}), node(1, {1, 2, 3}, {21, 10})}};
  CHECK(nodes_of(plan_of({}, uneven)) == std::vector<int>{0, 1, 1, 1});
  runtime::Options eight;
  eight.forwarders = 8;
  const auto nodes = nodes_of(plan_of(eight, uneven));
  CHECK(std::count(nodes.begin(), nodes.end(), 0) == 2);
}

TEST_CASE("what a quota leaves stays together, where the network device is", "[runtime]") {
  os::NumaTopology topology = two_nodes();
  topology.cpu_quota = 1.5;
  topology.nodes[1].free_bytes = 1000;
  const Placement by_memory = plan_of({}, topology);
  CHECK(nodes_of(by_memory) == std::vector<int>{1, 1});
  CHECK(
      says(by_memory, "2 forwarders: the control group gives 1.5 CPUs of time, on 4 usable CPUs"));
  CHECK(says(by_memory, "all on node 1: they fit, and of such nodes it has the most free memory"));
  const Placement by_device = plan_of({}, topology, {{.name = "eth0", .node = 0}});
  CHECK(nodes_of(by_device) == std::vector<int>{0, 0});
  CHECK(says(by_device, "all on node 0: they fit, and network device eth0 is there"));
  topology.cpu_quota = 2.5;  // three do not fit
  CHECK(nodes_of(plan_of({}, topology)) == std::vector<int>{0, 1, 0});
}

TEST_CASE("a quarter of a CPU is one forwarder", "[runtime]") {
  os::NumaTopology topology{.nodes = {node(0, {0, 1, 2, 3}, {10})}};
  topology.cpu_quota = 0.25;
  CHECK(plan_of({}, topology).forwarders.size() == 1);
}

TEST_CASE("each node with forwarders has an acceptor, for what arrives on its CPUs", "[runtime]") {
  const Placement plan = plan_of({}, two_nodes());
  REQUIRE(plan.acceptors.size() == 2);
  CHECK(plan.acceptors[0].node == 0);
  CHECK(plan.acceptors[1].node == 1);
  CHECK(says(plan, "2 acceptors: one for each node with forwarders"));
  CHECK(says(plan, "connections that arrive on the CPUs 2-3 go to acceptor-1"));
  CHECK(runtime::steering_rules(plan.acceptors) ==
        std::vector<os::SteeringRule>{{.cpus = {0, 1}}, {.cpus = {2, 3}, .first = 1}});
  CHECK(plan_of({}, {.nodes = {node(0, {0, 1}, {10})}}).acceptors.size() == 1);
  CHECK(plan_of(in_mode(NumaMode::off), two_nodes()).acceptors.size() == 1);
}

TEST_CASE("a number of acceptors is shared out like the forwarders, and not above them",
          "[runtime]") {
  runtime::Options options = with_acceptors(3);
  const Placement plan = plan_of(options, two_nodes());
  REQUIRE(plan.acceptors.size() == 3);
  CHECK(runtime::steering_rules(plan.acceptors) ==
        std::vector<os::SteeringRule>{{.cpus = {0, 1}, .count = 2}, {.cpus = {2, 3}, .first = 2}});
  CHECK(says(plan, "3 acceptors: as runtime.acceptors says"));
  CHECK(says(plan, "connections that arrive on the CPUs 0-1 go to acceptor-0 to -1, at random"));
  const Placement many = plan_of(with_acceptors(200), two_nodes());
  CHECK(many.acceptors.size() == 4);
  CHECK(says(many, "4 acceptors: as runtime.acceptors says, but no more than forwarders"));
}

TEST_CASE("a single acceptor is where the network device is", "[runtime]") {
  const runtime::Options one = with_acceptors(1);
  CHECK(plan_of(one, two_nodes(), {{.name = "eth0", .node = 1}}).acceptors[0].node == 1);
  CHECK(
      plan_of(one, two_nodes(), {{.name = "lo"}, {.name = "eth0", .node = 1}}).acceptors[0].node ==
      1);
  const Placement torn =
      plan_of(one, two_nodes(), {{.name = "eth0", .node = 1}, {.name = "eth1", .node = 0}});
  CHECK(torn.acceptors[0].node == 0);
  CHECK(says(torn, "the network devices of the listeners are on different nodes"));
}

TEST_CASE("a map gives each node its number", "[runtime]") {
  runtime::Options options;
  options.forwarders_by_node = {{1, 3}};
  const Placement plan = plan_of(options, two_nodes());
  CHECK(nodes_of(plan) == std::vector<int>{1, 1, 1});
  CHECK(plan.acceptors[0].node == 1);
  CHECK(runtime::planned_forwarders(options) == 3);
  options.forwarders_by_node = {{2, 1}};
  CHECK(refusal_of(options, two_nodes()) ==
        "runtime.forwarders names node 2, but this process has no CPU there: `penstock numa` shows "
        "the nodes that it has");
  options.numa = NumaMode::off;
  CHECK(refusal_of(options, two_nodes()).starts_with("runtime.forwarders names nodes, which"));
}

TEST_CASE("a node without CPUs for us is not used", "[runtime]") {
  os::NumaTopology topology = two_nodes();
  topology.nodes[1].cpus = {};
  const Placement plan = plan_of({}, topology);
  CHECK(nodes_of(plan) == std::vector<int>{0, 0});
  CHECK(says(plan, "node 1 is not used: none of its CPUs is in the cpuset"));
  topology.nodes[1].online_cpus = {};
  CHECK(says(plan_of({}, topology), "node 1 is not used: it has no CPU that is online"));
}

TEST_CASE("a node without memory takes it from its neighbour", "[runtime]") {
  const os::NumaTopology topology{
      .nodes = {node(0, {0, 1}, {10, 21}), node(1, {2, 3}, {21, 10}, 0)}};
  const Placement plan = plan_of({}, topology);
  CHECK(plan.forwarders[1].node == 1);
  CHECK(plan.forwarders[1].memory_node == 0);
  CHECK(says(plan,
             "node 1 has no memory: its threads take it from node 0, the nearest that has "
             "some"));
}

TEST_CASE("strict binds memory, and refuses what it cannot keep", "[runtime]") {
  const Placement plan = plan_of(in_mode(NumaMode::strict), two_nodes());
  CHECK(plan.forwarders[1].memory == MemoryPolicy::bound);
  CHECK(plan.acceptors[0].memory == MemoryPolicy::bound);
  runtime::Options floating = in_mode(NumaMode::strict);
  floating.pin = Pin::off;
  CHECK(refusal_of(floating, two_nodes()).starts_with("runtime.numa: strict needs runtime.pin"));
  const os::NumaTopology barren{.nodes = {node(0, {0}, {10}, 0)}};
  CHECK(refusal_of(in_mode(NumaMode::strict), barren) ==
        "runtime.numa: strict cannot be kept: node 0 has no memory, nor has any other");
}

TEST_CASE("without NUMA all nodes are one, and no policy is set", "[runtime]") {
  const Placement plan = plan_of(in_mode(NumaMode::off), two_nodes());
  CHECK(nodes_of(plan) == std::vector<int>{0, 0, 0, 0});
  CHECK(plan.forwarders[3].cpus == std::vector<int>{0, 1, 2, 3});
  CHECK(plan.forwarders[3].memory == MemoryPolicy::system);
}

TEST_CASE("pinned to CPUs, each forwarder of a node gets its own", "[runtime]") {
  const Placement plan = plan_of(pinned_to(Pin::cpu), two_nodes());
  CHECK(plan.forwarders[0].cpus == std::vector<int>{0});
  CHECK(plan.forwarders[1].cpus == std::vector<int>{2});
  CHECK(plan.forwarders[2].cpus == std::vector<int>{1});
  CHECK(plan.forwarders[3].cpus == std::vector<int>{3});
  CHECK(plan.acceptors[0].cpus == std::vector<int>{0, 1});
}

TEST_CASE("pinned to CPUs, forwarders take separate cores first", "[runtime]") {
  os::NumaTopology topology{.nodes = {node(0, {0, 1, 2, 3}, {10})}};
  topology.nodes[0].by_core = {0, 2, 1, 3};
  runtime::Options two = pinned_to(Pin::cpu);
  two.forwarders = 2;
  const Placement plan = plan_of(two, topology);
  CHECK(plan.forwarders[0].cpus == std::vector<int>{0});
  CHECK(plan.forwarders[1].cpus == std::vector<int>{2});
}

TEST_CASE("unpinned, nobody is bound", "[runtime]") {
  const Placement plan = plan_of(pinned_to(Pin::off), two_nodes());
  for (const auto& thread : plan.forwarders) CHECK(thread.cpus.empty());
  CHECK(plan.acceptors[0].cpus.empty());
}

TEST_CASE("caches that a node hides and a kernel that moves pages are spoken of", "[runtime]") {
  os::NumaTopology topology = two_nodes();
  topology.cache_groups = {{.cpus = {0}}, {.cpus = {1}}, {.cpus = {2, 3}}};
  topology.balances = true;
  const Placement plan = plan_of({}, topology);
  CHECK(says(plan,
             "node 0 hides 2 third-level caches: runtime.pin: cpu keeps a forwarder at one "
             "of them"));
  CHECK(plan.decisions.back().starts_with("automatic NUMA balancing is on"));
}

TEST_CASE("forwarders spin by themselves only where every thread can have a CPU", "[runtime]") {
  runtime::Options options;
  options.spin = std::nullopt;
  options.forwarders = 2;
  os::NumaTopology machine{.nodes = {node(0, {0, 1, 2, 3}, {10})}};
  CHECK(plan_of(options, machine).spin.adapts());  // two forwarders, an acceptor, control
  machine.cpu_quota = 3.5;
  CHECK(plan_of(options, machine).spin.length() == base::Duration{0});
  machine.cpu_quota = 4;
  CHECK(plan_of(options, machine).spin.adapts());
  options.pin = Pin::off;
  CHECK(plan_of(options, machine).spin.length() == base::Duration{0});
  options.pin = Pin::node;
  options.forwarders = 3;
  CHECK(plan_of(options, machine).spin.length() == base::Duration{0});
  options.forwarders_by_node = {{0, 2}};  // of six CPUs
  const os::NumaTopology uneven{
      .nodes = {node(0, {0, 1}, {10, 21}), node(1, {2, 3, 4, 5}, {21, 10})}};
  CHECK(plan_of(options, uneven).spin.length() == base::Duration{0});
  CHECK(says(plan_of(options, uneven),
             "runtime.spin: auto: nobody spins, for 4 threads have 6 CPUs, but not on each node"));
  options.forwarders_by_node = {{1, 2}};
  CHECK(plan_of(options, uneven).spin.adapts());
  options.forwarders_by_node = {};
  options.spin = std::chrono::microseconds{50};
  CHECK(plan_of(options, machine).spin.length() == std::chrono::microseconds{50});
}

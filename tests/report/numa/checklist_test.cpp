#include "report/numa/checklist.hpp"

#include "catch.hpp"

using namespace penstock;
using report::Verdict;
using runtime::MemoryPolicy;

namespace {

// Two nodes, a forwarder on each, everything in order.
struct Machine {
  os::NumaTopology topology{.nodes = {{.id = 0, .cpus = {0}}, {.id = 1, .cpus = {1}}}};
  std::vector<os::NetworkDevice> devices;
  std::vector<std::string> decisions;
  std::vector<runtime::ThreadPlan> plans{{.node = 0, .cpus = {0}, .memory_node = 0},
                                         {.node = 1, .cpus = {1}, .memory_node = 1}};
  std::vector<runtime::ThreadView> threads{forwarder(0), forwarder(1)};

  runtime::ThreadView forwarder(int node) const {
    return {.name = node == 0 ? "forwarder-0" : "forwarder-1",
            .plan = plans[static_cast<std::size_t>(node)],
            .seen = {.cpu = node,
                     .is_pinned = true,
                     .memory = MemoryPolicy::local,
                     .arrivals_sampled = 10,
                     .arrivals_local = 9},
            .arena = runtime::ArenaView{.node = node,
                                        .policy = MemoryPolicy::local,
                                        .is_placed = true,
                                        .pages = os::PagesByNode{{node, 5}}}};
  }
  report::ChecklistLine line(std::string_view text) const {
    for (auto& line : report::numa_checklist({.topology = topology,
                      .devices = devices,
                      .decisions = decisions,
                      .threads = threads,
                      .is_running = true}))
      if (line.text == text) return line;
    throw std::runtime_error{"no such line"};
  }
};

const char* const memory = "CPU and memory on one node";
const char* const workers = "workers on every node";
const char* const pools = "memory pools of the node";
const char* const arrivals = "little access to far nodes";
const char* const bound = "memory bound (MPOL_BIND)";
const char* const affinity = "threads bound to CPUs";
const char* const balancing = "automatic NUMA balancing off";

}  // namespace

TEST_CASE("on a machine in order every line is kept but the one that only strict keeps",
          "[report]") {
  Machine machine;
  for (const char* line : {memory, workers, pools, arrivals, affinity, balancing})
    CHECK(machine.line(line).verdict == Verdict::kept);
  CHECK(machine.line(memory).why == "all 10 pages of 2 arenas are on their forwarder's node");
  CHECK(machine.line(bound).verdict == Verdict::not_kept);
  for (auto& thread : machine.threads) thread.arena->policy = MemoryPolicy::bound;
  CHECK(machine.line(bound).verdict == Verdict::kept);
}

TEST_CASE("a page on the wrong node is found", "[report]") {
  Machine machine;
  machine.threads[1].arena->pages = os::PagesByNode{{0, 3}, {1, 5}};
  CHECK(machine.line(memory).verdict == Verdict::not_kept);
  CHECK(machine.line(memory).why == "forwarder-1 is on node 1 and has 3 pages on node 0");
  machine.threads[1].arena->pages.reset();
  CHECK(machine.line(memory).verdict == Verdict::not_kept);
}

TEST_CASE("a node without memory is told", "[report]") {
  Machine machine;
  machine.plans[1].memory_node = 0;
  CHECK(machine.line(memory).why ==
        "node 1 has no memory for us, forwarder-1 takes it from node 0");
}

TEST_CASE("what is refused or off is not kept, with the reason", "[report]") {
  Machine machine;
  machine.threads[1].arena->is_placed = false;
  CHECK(machine.line(pools).why ==
        "the kernel refused mbind to 1 of 2 arenas: the first touch of a page decides");
  machine.threads[0].seen.is_pinned = false;
  CHECK(machine.line(affinity).why == "the kernel refused to pin 1 threads");
  machine.plans[0].cpus.clear();
  CHECK(machine.line(affinity).why == "1 threads are not pinned: runtime.pin is off");
  machine.topology.balances = true;
  CHECK(machine.line(balancing).verdict == Verdict::not_kept);
  machine.threads.pop_back();
  CHECK(machine.line(workers).why == "node 1 has CPUs for us, but no forwarder");
}

TEST_CASE("arrivals from far are counted, once there are some", "[report]") {
  Machine machine;
  machine.threads[0].seen.arrivals_local = 1;
  CHECK(machine.line(arrivals).verdict == Verdict::not_kept);
  for (auto& thread : machine.threads) thread.seen.arrivals_sampled = 0;
  CHECK(machine.line(arrivals).verdict == Verdict::not_applicable);
}

TEST_CASE("of one node only what holds there is asked", "[report]") {
  Machine machine;
  machine.topology.nodes.pop_back();
  CHECK(machine.line(memory).verdict == Verdict::not_applicable);
  CHECK(machine.line(affinity).verdict == Verdict::kept);
}

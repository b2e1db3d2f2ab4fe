#pragma once
// Which forwarder runs where: a pure plan from nodes and options, with its reasons in words.

#include <cstddef>
#include <string>
#include <vector>

#include "os/numa.hpp"
#include "runtime/options.hpp"

namespace penstock::runtime {

// Where one thread runs. No CPUs: it is not bound.
struct Seat {
  int node = 0;
  std::vector<int> cpus;
};

struct Placement {
  std::vector<Seat> forwarders;
  std::vector<Seat> acceptors;
  std::vector<std::string> decisions;  // sentences for the log
};

// The number of forwarders on this machine: as configured, or min(CPUs of the cpuset, the CPU quota
// rounded up).
std::size_t planned_forwarders(const Options& options);

// Pure. `quota` in CPUs, 0 = none.
std::size_t forwarder_count(std::size_t configured, std::size_t cpus, double quota) noexcept;

// Pure. Spreads the forwarders over the nodes in turn; one acceptor, on the first node.
Placement plan_placement(const Options& options, const std::vector<os::NumaNode>& nodes,
                         std::size_t forwarders);

}  // namespace penstock::runtime

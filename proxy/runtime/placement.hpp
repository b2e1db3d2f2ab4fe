#pragma once
// Which thread runs where, and from where its memory comes: a pure plan from the machine and the
// options, with its reasons in words.

#include <cstddef>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "base/result.hpp"
#include "base/spin_gauge.hpp"
#include "os/network_device.hpp"
#include "os/reuseport.hpp"
#include "os/topology.hpp"
#include "runtime/options.hpp"

namespace penstock::runtime {

// system: as it was found. local: from the node on which the thread runs, while that has some.
// bound: from one node or not at all.
enum class MemoryPolicy : std::uint8_t { system, local, bound };
inline constexpr base::EnumNames<MemoryPolicy, 3> memory_policy_names{{"system", "local", "bound"}};
static_assert(memory_policy_names[MemoryPolicy::bound] == "bound");

// Where one thread runs. No CPUs: it is not pinned.
struct ThreadPlan {
  int node = 0;
  std::vector<int> cpus{};
  // All that are online on the node, ours or not: packets that arrive there are near.
  std::vector<int> near_cpus{};
  MemoryPolicy memory = MemoryPolicy::local;
  int memory_node = 0;  // the node itself, or the nearest that has memory for us
};

struct Placement {
  std::vector<ThreadPlan> forwarders;
  std::vector<ThreadPlan> acceptors;   // those of a node follow each other
  base::SpinGauge spin;                // of each forwarder
  std::vector<std::string> decisions;  // sentences for the log
};

// The number of forwarders on this machine: as configured, or min(CPUs of the cpuset, the CPU quota
// rounded up).
std::size_t planned_forwarders(const Options& options);
// As configured, or one for each node: at most so many.
std::size_t planned_acceptors(const Options& options);

// Pure. `quota` in CPUs, 0 = none.
std::size_t forwarder_count(std::size_t configured, std::size_t cpus, double quota) noexcept;

// Pure. Every node with CPUs for us gets forwarders by their number; where a quota leaves fewer
// than one node could hold, they stay together. An acceptor for each node with forwarders; a single
// one stands with the network devices (those that carry the listeners). Forwarders spin by
// themselves where each thread, control among them, can have a CPU. Errors: what was asked for
// cannot be had on this machine; the sentence.
using Planned = base::SentenceOr<Placement>;
Planned plan_placement(const Options& options, const os::NumaTopology& topology,
                       const std::vector<os::NetworkDevice>& devices);

// Pure. Which CPUs' SYNs go to which acceptors.
std::vector<os::SteeringRule> steering_rules(const std::vector<ThreadPlan>& acceptors);

}  // namespace penstock::runtime

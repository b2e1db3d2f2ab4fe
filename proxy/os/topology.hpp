#pragma once
// The machine as this process may use it: NUMA nodes, CPUs, caches, memory, and the limits of its
// control group. A value: what was read once does not change any more.
//
// Source   /sys/devices/system/{node,cpu}, /proc/self/status, /proc/meminfo and os/cgroup below a
//          root path, so that a recorded tree is as good as a machine.
// Errors   none: what cannot be read is left out. Without NUMA in the kernel there is one node 0.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penstock::os {

struct NumaNode {
  int id = 0;
  std::vector<int> cpus{};         // online and in the process's cpuset, ascending
  std::vector<int> by_core{};      // the same, but one of each core before the second of any
  std::vector<int> online_cpus{};  // none: a node of memory only
  std::uint64_t memory_bytes = 0;  // none: a node of CPUs only
  std::uint64_t free_bytes = 0;
  bool memory_allowed = true;    // by the process's cpuset
  std::vector<int> distances{};  // to each node of the topology, in its order; 10 is itself

  bool gives_memory() const noexcept { return memory_bytes > 0 && memory_allowed; }
};

// CPUs behind one third-level cache.
struct CacheGroup {
  std::vector<int> cpus{};  // all that are online
};

struct NumaTopology {
  std::vector<NumaNode> nodes{};  // those that are online, by id; at least one has CPUs for us
  std::vector<int> offline_cpus{};
  std::vector<CacheGroup> cache_groups{};
  std::optional<double> cpu_quota{};  // see os/cgroup.hpp
  std::optional<std::uint64_t> memory_limit{};
  bool balances = false;  // the kernel moves pages and threads by itself (kernel.numa_balancing)

  // Of all nodes together, those that this process may use.
  std::size_t cpu_count() const noexcept;
  const NumaNode* find(int id) const noexcept;
  // Of an online CPU; empty for any other.
  std::optional<int> node_of(int cpu) const noexcept;
  // The node itself where it gives memory, else the nearest one that does. Empty where none does.
  std::optional<int> memory_node_for(const NumaNode& node) const noexcept;
  // How many of the third-level caches serve CPUs of this node.
  std::size_t caches_of(const NumaNode& node) const noexcept;
};

NumaTopology numa_topology(const std::string& root = "/");

// "0-3,8": as the kernel writes lists of CPUs and of nodes. Ends where the text is none.
std::vector<int> parse_cpu_list(const std::string& text);
std::string cpu_list_text(const std::vector<int>& cpus);

}  // namespace penstock::os

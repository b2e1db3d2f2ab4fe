#include "os/numa.hpp"

#include <numa.h>
#include <numaif.h>
#include <sched.h>

#include <algorithm>
#include <map>

namespace penstock::os {

namespace {

// sched_getaffinity wants a mask as large as the kernel's; 8192 CPUs is the kernel's own maximum.
constexpr int cpus_max = 8192;

class CpuSet {
 public:
  CpuSet() : set_{CPU_ALLOC(cpus_max)} { CPU_ZERO_S(bytes, set_); }
  CpuSet(const CpuSet&) = delete;
  CpuSet& operator=(const CpuSet&) = delete;
  ~CpuSet() { CPU_FREE(set_); }
  static constexpr std::size_t bytes = cpus_max / 8;
  cpu_set_t* get() noexcept { return set_; }
  bool has(int cpu) const noexcept {
    return CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set_);
  }
  void add(int cpu) noexcept { CPU_SET_S(static_cast<std::size_t>(cpu), bytes, set_); }

 private:
  cpu_set_t* set_;
};

}  // namespace

std::vector<NumaNode> usable_nodes() {
  CpuSet allowed;
  if (::sched_getaffinity(0, CpuSet::bytes, allowed.get()) != 0) allowed.add(0);
  const bool has_numa = ::numa_available() >= 0;
  std::map<int, NumaNode> nodes;
  for (int cpu = 0; cpu < cpus_max; ++cpu) {
    if (!allowed.has(cpu)) continue;
    const int node = has_numa ? std::max(0, ::numa_node_of_cpu(cpu)) : 0;
    nodes[node].id = node;
    nodes[node].cpus.push_back(cpu);
  }
  std::vector<NumaNode> result;
  for (auto& [id, node] : nodes) result.push_back(std::move(node));
  return result;
}

bool bind_thread_to_cpus(const std::vector<int>& cpus) noexcept {
  CpuSet set;
  for (const int cpu : cpus) set.add(cpu);
  return ::sched_setaffinity(0, CpuSet::bytes, set.get()) == 0;
}

bool prefer_local_memory() noexcept {
  if (::numa_available() < 0) return false;
  // Not numa_set_localalloc(): where a container refuses, that prints on stderr by itself.
  return ::set_mempolicy(MPOL_LOCAL, nullptr, 0) == 0;
}

int current_cpu() noexcept {
  return ::sched_getcpu();
}

}  // namespace penstock::os

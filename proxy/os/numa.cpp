#include "os/numa.hpp"

#include <numaif.h>
#include <sched.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "os/numa_node_mask.hpp"
#include "os/process.hpp"

namespace penstock::os {

namespace {

// sched_getaffinity wants a mask as large as the kernel's.
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

std::string refused(const char* call, int node) {
  std::string sentence{call};
  return sentence.append(" for node ")
      .append(std::to_string(node))
      .append(": ")
      .append(std::strerror(errno));
}

// Tries mbind on a page of its own.
bool can_bind_pages(int node) noexcept {
  const std::size_t bytes = page_bytes();
  void* page = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  NodeMask mask{node};
  const long result = ::mbind(page, bytes, MPOL_BIND, mask.get(), NodeMask::max_node, MPOL_MF_MOVE);
  const int error = errno;
  ::munmap(page, bytes);
  errno = error;
  return result == 0;
}

}  // namespace

std::vector<int> thread_affinity() {
  CpuSet allowed;
  if (::sched_getaffinity(0, CpuSet::bytes, allowed.get()) != 0) return {0};
  std::vector<int> cpus;
  for (int cpu = 0; cpu < cpus_max; ++cpu)
    if (allowed.has(cpu)) cpus.push_back(cpu);
  return cpus;
}

bool bind_thread_to_cpus(const std::vector<int>& cpus) noexcept {
  CpuSet set;
  for (const int cpu : cpus) set.add(cpu);
  return ::sched_setaffinity(0, CpuSet::bytes, set.get()) == 0;
}

bool prefer_local_memory() noexcept {
  // Not numa_set_localalloc(): where a container refuses, that prints on stderr by itself.
  return ::set_mempolicy(MPOL_LOCAL, nullptr, 0) == 0;
}

bool bind_memory_to_node(int node) noexcept {
  NodeMask mask{node};
  return ::set_mempolicy(MPOL_BIND, mask.get(), NodeMask::max_node) == 0;
}

std::optional<std::string> memory_binding_refused(const std::vector<int>& nodes) {
  int policy = MPOL_DEFAULT;
  NodeMask before;
  if (::get_mempolicy(&policy, before.get(), NodeMask::max_node, nullptr, 0) != 0)
    return refused("get_mempolicy", nodes.empty() ? 0 : nodes.front());
  std::optional<std::string> sentence;
  for (const int node : nodes) {
    if (!bind_memory_to_node(node))
      sentence = refused("set_mempolicy", node);
    else if (!can_bind_pages(node))
      sentence = refused("mbind", node);
    if (sentence) break;
  }
  const bool has_nodes = policy != MPOL_DEFAULT && policy != MPOL_LOCAL;
  ::set_mempolicy(policy, has_nodes ? before.get() : nullptr, has_nodes ? NodeMask::max_node : 0);
  return sentence;
}

int current_cpu() noexcept {
  return ::sched_getcpu();
}

}  // namespace penstock::os

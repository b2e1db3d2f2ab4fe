#pragma once
// NUMA nodes and the CPUs of this process: the only door to libnuma.
//
// Where the kernel has no NUMA, or a container refuses the calls, there is one node 0 with every
// usable CPU, and binding says that it did nothing.

#include <string>
#include <vector>

namespace penstock::os {

struct NumaNode {
  int id = 0;
  std::vector<int> cpus;  // those of the process's cpuset, ascending; never empty
};

// The nodes on which this process may run. Never empty.
std::vector<NumaNode> usable_nodes();

// Binds the calling thread to these CPUs. Errors: false, where the kernel refuses.
bool bind_thread_to_cpus(const std::vector<int>& cpus) noexcept;

// Asks that the calling thread's future pages come from the node that it runs on. False where the
// policy call is refused; first touch then still gives local pages to a bound thread.
bool prefer_local_memory() noexcept;

// The CPU on which the calling thread runs right now.
int current_cpu() noexcept;

}  // namespace penstock::os

#pragma once
// Where the calling thread runs and from where its memory comes: the only door to libnuma and its
// system calls. What there is to choose from: os/topology.hpp.

#include <optional>
#include <string>
#include <vector>

namespace penstock::os {

// The kernel's own maximum.
inline constexpr int cpus_max = 8192;

// The CPUs on which the calling thread may run, ascending. CPU 0 where the kernel does not say.
std::vector<int> thread_affinity();

// Binds the calling thread to these CPUs. Errors: false, where the kernel refuses.
bool bind_thread_to_cpus(const std::vector<int>& cpus) noexcept;

// Asks that the calling thread's future pages come from the node that it runs on. False where the
// policy call is refused; first touch then still gives local pages to a bound thread.
bool prefer_local_memory() noexcept;

// The calling thread's future pages come from this node, or not at all. Errors: false.
bool bind_memory_to_node(int node) noexcept;

// Whether pages and threads can be bound to the memory of each of these nodes; tries it, and leaves
// the calling thread's policy as it was. The sentence of what was refused, or nothing.
std::optional<std::string> memory_binding_refused(const std::vector<int>& nodes);

// The CPU on which the calling thread runs right now.
int current_cpu() noexcept;

}  // namespace penstock::os

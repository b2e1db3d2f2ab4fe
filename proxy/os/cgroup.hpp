#pragma once
// What this process's control group leaves it: CPU time (v2 cpu.max, v1 cpu.cfs_quota_us) and
// memory (v2 memory.max, v1 memory.limit_in_bytes).

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace penstock::os {

// CPUs' worth of time, for example 0.5; empty where there is no limit or none can be read. Looks at
// the process's own group and every group above it, and takes the smallest.
std::optional<double> cpu_quota();

// In bytes; found in the same way.
std::optional<std::uint64_t> memory_limit();

// The share of its limit that the group which is nearest to it uses, from 0 to 1; empty where there
// is no limit. Pages of files that nobody used lately do not count: the kernel takes them back
// first.
std::optional<double> memory_share_used(const std::string& root = "");

// How often, and for how long in all, the groups' threads were not given a CPU because the quota
// was spent: the sum of our own group and those above it.
struct CpuThrottling {
  std::uint64_t periods = 0;
  base::Duration time{0};
};
CpuThrottling cpu_throttling(const std::string& root = "/");

// As above below another root than "/", for tests.
std::optional<double> cpu_quota_below(const std::string& root);
std::optional<std::uint64_t> memory_limit_below(const std::string& root);

}  // namespace penstock::os

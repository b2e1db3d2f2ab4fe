#pragma once
// The CPU quota of this process's control group (v2 cpu.max, v1 cpu.cfs_quota_us).

#include <optional>
#include <string>

namespace penstock::os {

// CPUs' worth of time, for example 0.5; empty where there is no limit or none can be read. Looks at
// the process's own group and every group above it, and takes the smallest.
std::optional<double> cpu_quota();

// As above below another root than "/", for tests.
std::optional<double> cpu_quota_below(const std::string& root);

}  // namespace penstock::os

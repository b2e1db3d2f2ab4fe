#pragma once
// What there is to say about the threads' places and the CPU time that they get: once a second.
//
// Pure but for its memory: what it looks at is handed in. Thread: control.

#include <string>
#include <vector>

#include "base/rate_limited.hpp"
#include "base/time.hpp"
#include "os/cgroup.hpp"
#include "runtime/views.hpp"

namespace penstock::control {

class NumaWatch {
 public:
  // On a machine of one node all memory is near, and what was refused makes no difference.
  explicit NumaWatch(bool has_several_nodes) : has_several_nodes_{has_several_nodes} {}

  // What the kernel refused: said once.
  std::vector<std::string> look_at(const std::vector<runtime::ThreadView>& threads);
  // The quota of the control group was spent: at most once a minute, while it goes on.
  std::vector<std::string> look_at(const os::CpuThrottling& throttling, base::Instant now);

 private:
  const bool has_several_nodes_;
  bool told_of_refusals_ = false;
  bool has_looked_ = false;
  os::CpuThrottling told_;
  base::RateLimited throttled_{std::chrono::minutes{1}};
};

}  // namespace penstock::control

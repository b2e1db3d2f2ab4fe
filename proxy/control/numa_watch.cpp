#include "control/numa_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::control {

namespace {

constexpr base::Duration quiet_after_throttling = std::chrono::minutes{1};

using runtime::ThreadView;

bool has_run(const ThreadView& thread) {
  return thread.seen.cpu.has_value();
}

}  // namespace

std::vector<std::string> NumaWatch::look_at(const std::vector<ThreadView>& threads) {
  if (told_of_refusals_ || !std::all_of(threads.begin(), threads.end(), has_run)) return {};
  told_of_refusals_ = true;
  const auto not_pinned = std::count_if(threads.begin(), threads.end(), [](const auto& thread) {
    return !thread.seat.cpus.empty() && !thread.seen.is_pinned;
  });
  const auto no_policy = std::count_if(threads.begin(), threads.end(), [](const auto& thread) {
    return thread.seat.memory != thread.seen.memory;
  });
  std::vector<std::string> warnings;
  if (not_pinned > 0)
    warnings.push_back(fmt::format(
        "{} of {} threads could not be pinned: they run where the scheduler sends them; `penstock "
        "ctl numa` shows which",
        not_pinned, threads.size()));
  if (no_policy > 0)
    warnings.push_back(fmt::format(
        "the kernel refused the memory policy to {} of {} threads: a page lies on the node of the "
        "thread that touches it first; a container with CAP_SYS_NICE may set it",
        no_policy, threads.size()));
  return warnings;
}

std::vector<std::string> NumaWatch::look_at(const os::CpuThrottling& throttling,
                                            base::Instant now) {
  // What the group suffered before our start is not ours to tell.
  if (!has_looked_) told_ = throttling;
  has_looked_ = true;
  if (throttling.periods <= told_.periods || now < next_) return {};
  const auto stood = throttling.time - told_.time;
  std::string warning = fmt::format(
      "the CPU quota of the control group was spent {} times: its threads stood still for {} ms; "
      "raise cpu.max (Kubernetes: limits.cpu, or none), or lower runtime.forwarders",
      throttling.periods - told_.periods,
      std::chrono::duration_cast<std::chrono::milliseconds>(stood).count());
  told_ = throttling;
  next_ = now + quiet_after_throttling;
  return {std::move(warning)};
}

}  // namespace penstock::control

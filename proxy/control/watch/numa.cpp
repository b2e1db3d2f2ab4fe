#include "control/watch/numa.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "report/numa/refusals.hpp"
#include "runtime/placement.hpp"

namespace penstock::control {

namespace {

using runtime::ThreadView;

bool has_run(const ThreadView& thread) {
  return thread.seen.cpu.has_value();
}

bool has_arena(const ThreadView& thread) {
  return thread.arena.has_value();
}

}  // namespace

std::vector<std::string> NumaWatch::look_at(const std::vector<ThreadView>& threads) {
  if (told_of_refusals_ || !std::all_of(threads.begin(), threads.end(), has_run)) return {};
  told_of_refusals_ = true;
  const report::NumaRefusals refusals = report::numa_refusals(threads);
  std::vector<std::string> warnings;
  if (refusals.pins > 0)
    warnings.push_back(fmt::format(
        "{} of {} threads could not be pinned: they run where the scheduler sends them; `penstock "
        "ctl numa` shows which",
        refusals.pins, threads.size()));
  if (has_several_nodes_ && refusals.policies + refusals.arenas > 0)
    warnings.push_back(fmt::format(
        "the kernel refused the memory policy to {} of {} threads, and to {} of {} arenas: a page "
        "lies on the node of the thread that touches it first; a container with CAP_SYS_NICE may "
        "set it",
        refusals.policies, threads.size(), refusals.arenas,
        std::count_if(threads.begin(), threads.end(), has_arena)));
  return warnings;
}

std::vector<std::string> NumaWatch::look_at(const os::CpuThrottling& throttling,
                                            base::Instant now) {
  // What the group suffered before our start is not ours to tell.
  if (!has_looked_) told_ = throttling;
  has_looked_ = true;
  if (throttling.periods <= told_.periods || !throttled_.take(now)) return {};
  const auto stood = throttling.time - told_.time;
  std::string warning = fmt::format(
      "the CPU quota of the control group was spent {} times: its threads stood still for {} ms; "
      "raise cpu.max (Kubernetes: limits.cpu, or none), or lower runtime.forwarders",
      throttling.periods - told_.periods,
      std::chrono::duration_cast<std::chrono::milliseconds>(stood).count());
  told_ = throttling;
  return {std::move(warning)};
}

}  // namespace penstock::control

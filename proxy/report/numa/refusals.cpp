#include "report/numa/refusals.hpp"

#include "runtime/placement.hpp"

namespace penstock::report {

NumaRefusals numa_refusals(const std::vector<runtime::ThreadView>& threads) {
  NumaRefusals refusals;
  for (const runtime::ThreadView& thread : threads) {
    if (!thread.seen.cpu) continue;
    refusals.pins += !thread.plan.cpus.empty() && !thread.seen.is_pinned ? 1 : 0;
    refusals.policies += thread.plan.memory != thread.seen.memory ? 1 : 0;
    refusals.arenas += thread.arena && !thread.arena->is_placed ? 1 : 0;
  }
  return refusals;
}

}  // namespace penstock::report

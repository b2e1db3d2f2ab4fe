#include "report/numa/checklist.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "report/numa/refusals.hpp"

namespace penstock::report {

namespace {

using runtime::MemoryPolicy;
using runtime::ThreadView;

constexpr double near_enough = 0.9;  // of the arrivals

struct Judgement {
  Verdict verdict;
  std::string why;
};

Judgement kept(std::string why) {
  return {.verdict = Verdict::kept, .why = std::move(why)};
}
Judgement not_kept(std::string why) {
  return {.verdict = Verdict::not_kept, .why = std::move(why)};
}

class Judge {
 public:
  explicit Judge(const NumaReport& report)
      : report_{report}, refusals_{numa_refusals(report.threads)} {
    for (const ThreadView& thread : report.threads)
      if (thread.arena) forwarders_.push_back(&thread);
  }

  bool has_one_node() const { return report_.topology.nodes.size() < 2; }

  Judgement memory_beside_cpu() const {
    std::size_t pages = 0;
    for (const ThreadView* thread : forwarders_) {
      if (thread->plan.memory_node != thread->plan.node)
        return not_kept(fmt::format("node {} has no memory for us, {} takes it from node {}",
                                    thread->plan.node, thread->name, thread->plan.memory_node));
      if (!thread->arena->pages)
        return not_kept("the kernel does not show where the pages are (move_pages, numa_maps)");
      for (const auto& [node, count] : *thread->arena->pages) {
        pages += count;
        if (node != thread->plan.node)
          return not_kept(fmt::format("{} is on node {} and has {} pages on node {}", thread->name,
                                      thread->plan.node, count, node));
      }
    }
    return kept(fmt::format("all {} pages of {} arenas are on their forwarder's node", pages,
                            forwarders_.size()));
  }

  Judgement workers_by_node() const {
    std::set<int> with;
    for (const ThreadView* thread : forwarders_) with.insert(thread->plan.node);
    for (const os::NumaNode& node : report_.topology.nodes)
      if (!node.cpus.empty() && !with.contains(node.id))
        return not_kept(fmt::format("node {} has CPUs for us, but no forwarder", node.id));
    return kept("every node with CPUs for us has forwarders");
  }

  Judgement pools() const {
    if (is_off()) return not_kept("runtime.numa is off");
    if (refusals_.arenas > 0)
      return not_kept(fmt::format(
          "the kernel refused mbind to {} of {} arenas: the first touch of a page decides",
          refusals_.arenas, forwarders_.size()));
    return kept("sessions, buffers and rings of a forwarder are in an arena of its node");
  }

  Judgement arrivals() const {
    const std::optional<double> ratio = numa_local_ratio(report_.threads);
    if (!ratio) return {.verdict = Verdict::not_applicable, .why = "no connection was sampled yet"};
    const std::string share =
        fmt::format("{:.0f} % of the connections came in on their forwarder's node", *ratio * 100);
    if (*ratio >= near_enough) return kept(share);
    return not_kept(share + "; see the interrupts of the network device (docs/NUMA.md)");
  }

  Judgement bound() const {
    const bool all = std::all_of(forwarders_.begin(), forwarders_.end(), [](const auto* thread) {
      return thread->arena->policy == MemoryPolicy::bound && thread->arena->is_placed;
    });
    if (all) return kept("runtime.numa is strict");
    return not_kept(
        "only runtime.numa: strict binds; else a node is preferred, and a full one is no want of "
        "memory");
  }

  Judgement affinity() const {
    const auto free = std::count_if(report_.threads.begin(), report_.threads.end(),
                                    [](const auto& thread) { return !thread.seen.is_pinned; });
    if (free == 0) return kept("every thread is pinned");
    if (refusals_.pins > 0)
      return not_kept(fmt::format("the kernel refused to pin {} threads", refusals_.pins));
    return not_kept(fmt::format("{} threads are not pinned: runtime.pin is off", free));
  }

  Judgement no_balancing() const {
    if (!report_.topology.balances) return kept("automatic NUMA balancing is off");
    return not_kept(
        "automatic NUMA balancing is on: it takes pages away to see who touches them "
        "(sysctl kernel.numa_balancing=0)");
  }

 private:
  bool is_off() const {
    return std::any_of(forwarders_.begin(), forwarders_.end(), [](const auto* thread) {
      return thread->plan.memory == MemoryPolicy::system;
    });
  }

  const NumaReport& report_;
  const NumaRefusals refusals_;
  std::vector<const ThreadView*> forwarders_;
};

}  // namespace

std::vector<ChecklistLine> numa_checklist(const NumaReport& report) {
  const Judge judge{report};
  std::vector<ChecklistLine> lines;
  const auto add = [&](const char* text, Judgement (Judge::*ask)() const, bool of_one_node) {
    Judgement judgement{.verdict = Verdict::not_applicable, .why = "this machine has one node"};
    if (!judge.has_one_node() || of_one_node) judgement = (judge.*ask)();
    lines.push_back({.text = text, .verdict = judgement.verdict, .why = std::move(judgement.why)});
  };
  add("CPU and memory on one node", &Judge::memory_beside_cpu, false);
  add("workers on every node", &Judge::workers_by_node, false);
  add("memory pools of the node", &Judge::pools, false);
  add("little access to far nodes", &Judge::arrivals, false);
  add("memory bound (MPOL_BIND)", &Judge::bound, false);
  add("threads bound to CPUs", &Judge::affinity, true);
  add("automatic NUMA balancing off", &Judge::no_balancing, false);
  return lines;
}

}  // namespace penstock::report

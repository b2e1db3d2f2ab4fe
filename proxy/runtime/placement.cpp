#include "runtime/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "base/limits.hpp"

namespace penstock::runtime {

namespace {

std::string counted(std::size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::size_t count_of(const std::map<int, std::size_t>& by_node) {
  std::size_t count = 0;
  for (const auto& [node, forwarders] : by_node) count += forwarders;
  return count;
}

std::size_t planned_forwarders(const Options& options, const os::NumaTopology& topology) {
  if (!options.forwarders_by_node.empty()) return count_of(options.forwarders_by_node);
  return forwarder_count(options.forwarders, topology.cpu_count(), topology.cpu_quota.value_or(0));
}

// A node with CPUs for us, and how many forwarders it gets.
struct Share {
  os::NumaNode node;
  std::size_t forwarders = 0;
};

class Planner {
 public:
  Planner(const Options& options, const os::NumaTopology& topology,
          const std::vector<os::NetworkDevice>& devices)
      : options_{options}, topology_{topology}, devices_{devices} {}

  Planned plan() {
    if (std::string sentence = contradiction(); !sentence.empty()) return sentence;
    count_ = planned_forwarders(options_, topology_);
    say(counted(count_, "forwarder") + ": " + reason_of_count());
    gather_nodes();
    find_device_node();
    share_out();
    if (std::string sentence = seat_forwarders(); !sentence.empty()) return sentence;
    seat_acceptors();
    decide_spin();
    tell_of_the_machine();
    return std::move(placement_);
  }

 private:
  bool is_off() const { return options_.numa == NumaMode::off; }
  bool is_strict() const { return options_.numa == NumaMode::strict; }
  bool asks_by_node() const { return !options_.forwarders_by_node.empty(); }
  void say(std::string decision) { placement_.decisions.push_back(std::move(decision)); }

  std::string contradiction() const {
    if (is_strict() && options_.pin == Pin::off)
      return "runtime.numa: strict needs runtime.pin: node or cpu, for a thread that is not pinned "
             "has no node of its own";
    if (is_off() && asks_by_node())
      return "runtime.forwarders names nodes, which runtime.numa: off does not tell apart: give a "
             "number instead";
    for (const auto& [id, forwarders] : options_.forwarders_by_node) {
      const os::NumaNode* node = topology_.find(id);
      if (node == nullptr || node->cpus.empty())
        return fmt::format(
            "runtime.forwarders names node {}, but this process has no CPU there: `penstock numa` "
            "shows the nodes that it has",
            id);
    }
    return {};
  }

  std::string reason_of_count() const {
    if (asks_by_node()) return "as runtime.forwarders says, by node";
    if (options_.forwarders != 0) return "as runtime.forwarders says";
    if (is_limited_by_quota())
      return fmt::format("the control group gives {:g} CPUs of time, on {}", *topology_.cpu_quota,
                         counted(topology_.cpu_count(), "usable CPU"));
    return fmt::format("one for each of {}", counted(topology_.cpu_count(), "usable CPU"));
  }

  bool is_limited_by_quota() const {
    return options_.forwarders == 0 && !asks_by_node() && count_ < topology_.cpu_count() &&
           count_ < base::forwarders_max;
  }

  void gather_nodes() {
    for (const os::NumaNode& node : topology_.nodes) {
      if (!node.cpus.empty())
        shares_.push_back({.node = node});
      else
        say(fmt::format("node {} is not used: {}", node.id,
                        node.online_cpus.empty() ? "it has no CPU that is online"
                                                 : "none of its CPUs is in the cpuset"));
    }
    if (!is_off() || shares_.size() == 1) return;
    say("all nodes are taken for one: runtime.numa is off");
    for (std::size_t i = 1; i < shares_.size(); ++i) {
      auto& cpus = shares_[0].node.cpus;
      auto& near = shares_[0].node.online_cpus;
      const auto& more = shares_[i].node.online_cpus;
      near.insert(near.end(), more.begin(), more.end());
      std::copy(shares_[i].node.cpus.begin(), shares_[i].node.cpus.end(), std::back_inserter(cpus));
    }
    shares_[0].node.by_core.clear();
    for (const os::NumaNode& node : topology_.nodes)
      shares_[0].node.by_core.insert(shares_[0].node.by_core.end(), node.by_core.begin(),
                                     node.by_core.end());
    for (auto* cpus : {&shares_[0].node.cpus, &shares_[0].node.online_cpus})
      std::sort(cpus->begin(), cpus->end());
    shares_.resize(1);
  }

  // The node of the network devices, where they have one in common.
  void find_device_node() {
    for (const os::NetworkDevice& device : devices_) {
      if (!device.node) continue;
      if (device_node_ && device_node_ != device.node) {
        say("the network devices of the listeners are on different nodes");
        return device_node_.reset();
      }
      device_node_ = device.node;
      device_name_ = device.name;
    }
  }

  void share_out() {
    for (Share& share : shares_)
      if (const auto asked = options_.forwarders_by_node.find(share.node.id);
          asked != options_.forwarders_by_node.end())
        share.forwarders = asked->second;
    if (asks_by_node()) return;
    Share* const together = is_limited_by_quota() && shares_.size() > 1 ? one_for_all() : nullptr;
    for (std::size_t i = 0; i < count_; ++i) ++(together ? *together : emptiest()).forwarders;
    if (together != nullptr)
      say(fmt::format("all on node {}: {}", together->node.id,
                      device_node_ == together->node.id
                          ? fmt::format("they fit, and network device {} is there", device_name_)
                          : "they fit, and of such nodes it has the most free memory"));
  }

  // The node that can hold every forwarder: that of the network devices, else the one with the most
  // free memory.
  Share* one_for_all() {
    Share* best = nullptr;
    for (Share& share : shares_) {
      if (share.node.cpus.size() < count_) continue;
      if (device_node_ == share.node.id) return &share;
      if (best == nullptr || share.node.free_bytes > best->node.free_bytes) best = &share;
    }
    return best;
  }

  // The one with the fewest forwarders for its CPUs; the first of equals.
  Share& emptiest() {
    return *std::min_element(shares_.begin(), shares_.end(), [](const Share& a, const Share& b) {
      return (a.forwarders + 1) * b.node.cpus.size() < (b.forwarders + 1) * a.node.cpus.size();
    });
  }

  // In turn over the nodes, so that neighbours in the list are on different ones.
  std::string seat_forwarders() {
    for (std::size_t round = 0; placement_.forwarders.size() < count_; ++round)
      for (const Share& share : shares_) {
        if (round >= share.forwarders) continue;
        ThreadPlan plan = plan_on(share.node);
        const auto& cpus = share.node.by_core.empty() ? share.node.cpus : share.node.by_core;
        if (options_.pin == Pin::cpu) plan.cpus = {cpus[round % cpus.size()]};
        placement_.forwarders.push_back(std::move(plan));
      }
    for (const Share& share : shares_)
      if (std::string sentence = tell_of_node(share); !sentence.empty()) return sentence;
    return {};
  }

  ThreadPlan plan_on(const os::NumaNode& node) const {
    ThreadPlan plan{.node = node.id,
                    .near_cpus = node.online_cpus,
                    .memory_node = topology_.memory_node_for(node).value_or(node.id)};
    if (options_.pin != Pin::off) plan.cpus = node.cpus;
    if (is_off()) plan.memory = MemoryPolicy::system;
    if (is_strict()) plan.memory = MemoryPolicy::bound;
    return plan;
  }

  // The sentence of what `strict` misses, or nothing.
  std::string tell_of_node(const Share& share) {
    const os::NumaNode& node = share.node;
    say(fmt::format("{} on {}node {}, {}", counted(share.forwarders, "forwarder"),
                    is_off() ? "the CPUs of " : "", node.id, pinning_on(share)));
    if (is_off() || share.forwarders == 0 || node.gives_memory()) return {};
    const auto nearest = topology_.memory_node_for(node);
    const char* const why =
        node.memory_bytes == 0 ? "has no memory" : "has no memory that the cpuset allows";
    if (is_strict() && !nearest)
      return fmt::format("runtime.numa: strict cannot be kept: node {} {}, nor has any other",
                         node.id, why);
    if (nearest)
      say(fmt::format("node {} {}: its threads take it from node {}, the nearest that has some",
                      node.id, why, *nearest));
    return {};
  }

  std::string pinning_on(const Share& share) const {
    if (options_.pin == Pin::off) return "not pinned: runtime.pin is off";
    const std::string cpus = os::cpu_list_text(share.node.cpus);
    if (options_.pin == Pin::node) return fmt::format("pinned to its CPUs {}", cpus);
    return fmt::format("each pinned to one of the CPUs {}{}", cpus,
                       share.forwarders > share.node.cpus.size()
                           ? "; there are more forwarders than CPUs, so some share one"
                           : "");
  }

  // As many as were asked for, by the number of forwarders, and at most one for each of them.
  void seat_acceptors() {
    std::vector<Share> used;
    for (const Share& share : shares_)
      if (share.forwarders > 0) used.push_back(share);
    const std::size_t asked = options_.acceptors != 0 ? options_.acceptors : used.size();
    const std::size_t count = std::min(asked, count_);
    if (count == 1) return seat_one_acceptor(used.front());
    std::vector<std::size_t> acceptors(used.size());
    for (std::size_t i = 0; i < count; ++i) ++acceptors[fewest_acceptors(used, acceptors)];
    for (std::size_t i = 0; i < used.size(); ++i)
      placement_.acceptors.insert(placement_.acceptors.end(), acceptors[i], plan_on(used[i].node));
    say(fmt::format(
        "{} acceptors: {}{}", count,
        options_.acceptors != 0 ? "as runtime.acceptors says" : "one for each node with forwarders",
        count < asked ? ", but no more than forwarders" : ""));
    for (const os::SteeringRule& rule : steering_rules(placement_.acceptors)) say(text_of(rule));
  }

  static std::size_t fewest_acceptors(const std::vector<Share>& used,
                                      const std::vector<std::size_t>& acceptors) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < used.size(); ++i)
      if ((acceptors[i] + 1) * used[best].forwarders < (acceptors[best] + 1) * used[i].forwarders)
        best = i;
    return best;
  }

  static std::string text_of(const os::SteeringRule& rule) {
    const std::string cpus = os::cpu_list_text(rule.cpus);
    if (rule.count == 1)
      return fmt::format("connections that arrive on the CPUs {} go to acceptor-{}", cpus,
                         rule.first);
    return fmt::format("connections that arrive on the CPUs {} go to acceptor-{} to -{}, at random",
                       cpus, rule.first, rule.first + rule.count - 1);
  }

  void seat_one_acceptor(const Share& otherwise) {
    const auto is_there = [this](const Share& share) { return share.node.id == device_node_; };
    const auto at_device = std::find_if(shares_.begin(), shares_.end(), is_there);
    const bool found = at_device != shares_.end();
    const Share& share = found ? *at_device : otherwise;
    placement_.acceptors.push_back(plan_on(share.node));
    if (shares_.size() > 1)
      say(fmt::format("the acceptor is on node {}: {}", share.node.id,
                      found
                          ? fmt::format("network device {} is there", device_name_)
                          : "the first with forwarders, for no network device has a node of ours"));
  }

  void decide_spin() {
    if (options_.spin) {
      placement_.spin = base::SpinGauge::fixed(*options_.spin);
      return;
    }
    const double quota = topology_.cpu_quota.value_or(0);
    std::size_t cpus = topology_.cpu_count();
    if (quota > 0) cpus = std::min(cpus, static_cast<std::size_t>(quota));
    const std::size_t threads = placement_.forwarders.size() + placement_.acceptors.size() + 1;
    bool spins = cpus >= threads && options_.pin != Pin::off;
    for (const Share& share : shares_)
      if (share.forwarders > 0) spins = spins && share.node.cpus.size() > share.forwarders;
    if (spins) placement_.spin = base::SpinGauge::adaptive();
    say(fmt::format("runtime.spin: auto: {}, for {} have {}{}",
                    spins ? "forwarders spin up to 200 us" : "nobody spins",
                    counted(threads, "thread"), counted(cpus, "CPU"),
                    options_.pin == Pin::off    ? " and are not pinned"
                    : cpus >= threads && !spins ? ", but not on each node"
                                                : ""));
  }

  void tell_of_the_machine() {
    for (const Share& share : shares_)
      if (const std::size_t caches = topology_.caches_of(share.node); !is_off() && caches > 1)
        say(fmt::format(
            "node {} hides {} third-level caches{}", share.node.id, caches,
            options_.pin == Pin::cpu ? "" : ": runtime.pin: cpu keeps a forwarder at one of them"));
    if (topology_.balances && topology_.nodes.size() > 1)
      say("automatic NUMA balancing is on (kernel.numa_balancing): it costs faults and moves "
          "nothing that is placed well; 0 turns it off");
  }

  const Options& options_;
  const os::NumaTopology& topology_;
  const std::vector<os::NetworkDevice>& devices_;
  std::size_t count_ = 0;
  std::vector<Share> shares_;
  std::optional<int> device_node_;
  std::string device_name_;
  Placement placement_;
};

}  // namespace

std::vector<os::SteeringRule> steering_rules(const std::vector<ThreadPlan>& acceptors) {
  std::vector<os::SteeringRule> rules;
  for (std::size_t i = 0; i < acceptors.size(); ++i) {
    if (i > 0 && acceptors[i].node == acceptors[i - 1].node)
      ++rules.back().count;
    else
      rules.push_back({.cpus = acceptors[i].near_cpus, .first = static_cast<std::uint32_t>(i)});
  }
  return rules;
}

std::size_t forwarder_count(std::size_t configured, std::size_t cpus, double quota) noexcept {
  if (configured != 0) return std::min(configured, base::forwarders_max);
  std::size_t count = cpus;
  if (quota > 0) count = std::min(count, static_cast<std::size_t>(std::ceil(quota)));
  return std::clamp<std::size_t>(count, 1, base::forwarders_max);
}

std::size_t planned_forwarders(const Options& options) {
  return planned_forwarders(options, os::numa_topology());
}

std::size_t planned_acceptors(const Options& options) {
  if (options.acceptors != 0) return options.acceptors;
  return std::max<std::size_t>(os::numa_topology().nodes.size(), 1);
}

Planned plan_placement(const Options& options, const os::NumaTopology& topology,
                       const std::vector<os::NetworkDevice>& devices) {
  return Planner{options, topology, devices}.plan();
}

}  // namespace penstock::runtime

#include "runtime/placement.hpp"

#include <algorithm>
#include <cmath>

#include "base/limits.hpp"
#include "os/cgroup.hpp"

namespace penstock::runtime {

namespace {
std::size_t cpu_count(const std::vector<os::NumaNode>& nodes) {
  std::size_t count = 0;
  for (const auto& node : nodes) count += node.cpus.size();
  return count;
}

std::string counted(std::size_t count, const std::string& thing) {
  return std::to_string(count) + ' ' + thing + (count == 1 ? "" : "s");
}
}  // namespace

std::size_t forwarder_count(std::size_t configured, std::size_t cpus, double quota) noexcept {
  if (configured != 0) return std::min(configured, base::forwarders_max);
  std::size_t count = cpus;
  if (quota > 0) count = std::min(count, static_cast<std::size_t>(std::ceil(quota)));
  return std::clamp<std::size_t>(count, 1, base::forwarders_max);
}

std::size_t planned_forwarders(const Options& options) {
  return forwarder_count(options.forwarders, cpu_count(os::usable_nodes()),
                         os::cpu_quota().value_or(0));
}

Placement plan_placement(const Options& options, const std::vector<os::NumaNode>& nodes,
                         std::size_t forwarders) {
  Placement plan;
  std::vector<std::size_t> used(nodes.size(), 0);
  for (std::size_t i = 0; i < forwarders; ++i) {
    const std::size_t at = i % nodes.size();
    const os::NumaNode& node = nodes[at];
    Seat seat{.node = node.id, .cpus = {}};
    if (options.pin == Pin::node) seat.cpus = node.cpus;
    if (options.pin == Pin::cpu) seat.cpus = {node.cpus[used[at]++ % node.cpus.size()]};
    plan.forwarders.push_back(std::move(seat));
  }
  const bool pinned = options.pin != Pin::off;
  plan.acceptors.push_back(
      {.node = nodes[0].id, .cpus = pinned ? nodes[0].cpus : std::vector<int>{}});
  plan.decisions.push_back(counted(forwarders, "forwarder") + " on " +
                           counted(nodes.size(), "NUMA node") + " with " +
                           counted(cpu_count(nodes), "usable CPU") +
                           ", pinned to: " + std::string{pin_names[options.pin]});
  if (options.pin == Pin::cpu && forwarders > cpu_count(nodes))
    plan.decisions.push_back("there are more forwarders than CPUs, so some share one");
  return plan;
}

}  // namespace penstock::runtime

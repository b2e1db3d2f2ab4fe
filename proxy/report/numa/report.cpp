#include "report/numa/report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "report/numa/checklist.hpp"
#include "runtime/placement.hpp"

namespace penstock::report {

namespace {

namespace json = boost::json;

template <class T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value{};
}

json::array nodes_of(const os::NumaTopology& topology) {
  json::array array;
  for (const os::NumaNode& node : topology.nodes)
    array.push_back({{"id", node.id},
                     {"cpus", os::cpu_list_text(node.cpus)},
                     {"online_cpus", os::cpu_list_text(node.online_cpus)},
                     {"memory_bytes", node.memory_bytes},
                     {"free_bytes", node.free_bytes},
                     {"memory_allowed", node.memory_allowed},
                     {"third_level_caches", topology.caches_of(node)},
                     {"distances", json::array(node.distances.begin(), node.distances.end())}});
  return array;
}

json::array devices_of(const std::vector<os::NetworkDevice>& devices) {
  json::array array;
  for (const os::NetworkDevice& device : devices)
    array.push_back({{"name", device.name}, {"node", or_null(device.node)}});
  return array;
}

json::object seen_of(const runtime::ThreadPlace::Seen& seen, const os::NumaTopology& topology) {
  return {{"cpu", or_null(seen.cpu)},
          {"node", seen.cpu ? or_null(topology.node_of(*seen.cpu)) : json::value{}},
          {"pinned", seen.is_pinned},
          {"memory", runtime::memory_policy_names[seen.memory]},
          {"arrivals_sampled", seen.arrivals_sampled},
          {"arrivals_local", seen.arrivals_local}};
}

json::object arena_of(const runtime::ArenaView& arena) {
  json::value pages;
  if (arena.pages) {
    json::object by_node;
    for (const auto& [node, count] : *arena.pages) by_node[std::to_string(node)] = count;
    pages = std::move(by_node);
  }
  return {{"node", arena.node},
          {"memory", runtime::memory_policy_names[arena.policy]},
          {"placed", arena.is_placed},
          {"opened_bytes", arena.opened_bytes},
          {"pages_by_node", std::move(pages)}};
}

json::array checklist_of(const NumaReport& report) {
  json::array array;
  for (const ChecklistLine& line : numa_checklist(report))
    array.push_back(
        {{"line", line.text}, {"verdict", verdict_names[line.verdict]}, {"why", line.why}});
  return array;
}

json::array threads_of(const NumaReport& report) {
  json::array array;
  for (const runtime::ThreadView& thread : report.threads) {
    json::object object{{"name", thread.name},
                        {"node", thread.plan.node},
                        {"cpus", os::cpu_list_text(thread.plan.cpus)},
                        {"memory", runtime::memory_policy_names[thread.plan.memory]},
                        {"memory_node", thread.plan.memory_node}};
    if (report.is_running) object["seen"] = seen_of(thread.seen, report.topology);
    if (report.is_running && thread.accepted)
      object["accepted"] = {{"connections", thread.accepted->connections},
                            {"passed_on", thread.accepted->passed_on}};
    if (report.is_running && thread.arena) object["arena"] = arena_of(*thread.arena);
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace

json::object numa_json(const NumaReport& report) {
  const os::NumaTopology& topology = report.topology;
  json::object object{{"nodes", nodes_of(topology)},
                      {"offline_cpus", os::cpu_list_text(topology.offline_cpus)},
                      {"cpu_quota", or_null(topology.cpu_quota)},
                      {"memory_limit_bytes", or_null(topology.memory_limit)},
                      {"numa_balancing", topology.balances},
                      {"devices", devices_of(report.devices)},
                      {"decisions", json::array(report.decisions.begin(), report.decisions.end())},
                      {"threads", threads_of(report)}};
  if (!report.is_running) return object;
  object["local_ratio"] = or_null(numa_local_ratio(report.threads));
  object["checklist"] = checklist_of(report);
  return object;
}

std::optional<double> numa_local_ratio(const std::vector<runtime::ThreadView>& threads) {
  std::uint64_t sampled = 0;
  std::uint64_t local = 0;
  for (const runtime::ThreadView& thread : threads) {
    sampled += thread.seen.arrivals_sampled;
    local += thread.seen.arrivals_local;
  }
  if (sampled == 0) return std::nullopt;
  return static_cast<double>(local) / static_cast<double>(sampled);
}

}  // namespace penstock::report

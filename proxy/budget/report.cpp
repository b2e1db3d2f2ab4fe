#include "budget/report.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

namespace penstock::budget {

namespace {

namespace json = boost::json;

constexpr std::string_view asked_connections = "runtime.max_connections";
constexpr std::string_view descriptors = "nofile";
constexpr std::string_view memory = "memory.max";
constexpr std::string_view pipe_pages = "pipe-user-pages-soft";
constexpr std::string_view asked_pipes = "relay.max_pipes";
constexpr std::string_view engine = "relay.engine";
constexpr std::string_view cpu_time = "cpu.max";
constexpr std::string_view cpus = "cpuset";
constexpr std::string_view accept_queue = "somaxconn";

struct Resource {
  std::string_view name;
  std::string_view unit;
  std::optional<double> limit;
  std::optional<std::size_t> connections;  // that it alone has room for
  std::optional<std::size_t> spliced;      // with a pipe in both directions
  std::string_view to_change;
};

std::optional<double> unless_zero(double limit) {
  return limit == 0 ? std::nullopt : std::optional{limit};
}

template <class Number>
std::optional<double> as_limit(const std::optional<Number>& number) {
  return number ? std::optional{static_cast<double>(*number)} : std::nullopt;
}

// A connection that is spliced both ways has two pipes.
std::optional<std::size_t> spliced_with(const std::optional<std::size_t>& pipes) {
  return pipes ? std::optional{*pipes / 2} : std::nullopt;
}

std::vector<Resource> resources_of(const Budget& budget) {
  const Limits& limits = budget.limits;
  const ResourceRequest& request = budget.request;
  const Bounds& bounds = budget.plan.bounds;
  const std::optional<std::size_t> no_engine =
      request.splices ? std::nullopt : std::optional<std::size_t>{0};
  return {
      {asked_connections,
       "connections",
       as_limit(request.max_connections),
       request.max_connections,
       {},
       "raise it in the configuration"},
      {descriptors, "descriptors", static_cast<double>(limits.descriptors),
       bounds.connections_by_descriptors, spliced_with(bounds.pipes_by_descriptors),
       "ulimit -n, LimitNOFILE= of systemd, --ulimit nofile= of a container"},
      {memory,
       "bytes",
       unless_zero(static_cast<double>(limits.memory_bytes)),
       bounds.connections_by_memory,
       {},
       "memory.max of the control group, MemoryMax= of systemd, --memory of a container"},
      {pipe_pages,
       "pages",
       unless_zero(static_cast<double>(limits.pipe_user_pages_soft)),
       {},
       spliced_with(bounds.pipes_by_pages),
       "sysctl fs.pipe-user-pages-soft, or a smaller relay.pipe_size"},
      {asked_pipes,
       "pipes",
       as_limit(request.max_pipes),
       {},
       spliced_with(request.max_pipes),
       "raise it in the configuration"},
      {engine, "", {}, {}, no_engine, "an engine with pipes: adaptive, splice or uring"},
      {cpu_time,
       "CPUs",
       unless_zero(limits.cpu_quota),
       {},
       {},
       "cpu.max of the control group, CPUQuota= of systemd, --cpus of a container"},
      {cpus,
       "CPUs",
       unless_zero(static_cast<double>(limits.cpus)),
       {},
       {},
       "cpuset.cpus of the control group, AllowedCPUs= of systemd, --cpuset-cpus of a container"},
      {accept_queue,
       "connections",
       unless_zero(static_cast<double>(limits.sockets.accept_queue_max)),
       {},
       {},
       "sysctl net.core.somaxconn, --sysctl of a container"},
  };
}

// The name of the first that has the least room; `otherwise` where no resource has less than
// `room`.
std::string_view least(const std::vector<Resource>& resources,
                       std::optional<std::size_t> Resource::*bound, std::size_t room,
                       std::string_view otherwise) {
  std::string_view name = otherwise;
  for (const Resource& each : resources) {
    if (!(each.*bound) || *(each.*bound) >= room) continue;
    room = *(each.*bound);
    name = each.name;
  }
  return name;
}

// What decides the number of forwarders.
std::string_view forwarders_end_first(const Budget& budget) {
  const Limits& limits = budget.limits;
  if (budget.request.forwarders_asked) return "runtime.forwarders";
  const bool by_time =
      limits.cpu_quota > 0 && std::ceil(limits.cpu_quota) < static_cast<double>(limits.cpus);
  return by_time ? cpu_time : cpus;
}

json::value or_null(const std::optional<std::size_t>& number) {
  return number ? json::value(*number) : json::value{};
}

// Whole numbers without a point.
json::value limit_value(const std::optional<double>& limit) {
  if (!limit) return {};
  if (*limit == std::floor(*limit)) return static_cast<std::uint64_t>(*limit);
  return *limit;
}

double used_share(const BudgetUse& use, std::string_view name) {
  const auto found =
      std::find_if(use.begin(), use.end(), [&](const auto& each) { return each.first == name; });
  return found == use.end() ? 0 : found->second;
}

double share(double used, double limit) {
  return limit > 0 ? used / limit : 0;
}

bool is_measured(std::string_view name) {
  return name != accept_queue && name != asked_pipes && name != engine;
}

}  // namespace

BudgetUse budget_use(const Budget& budget, const Usage& usage) {
  const Limits& limits = budget.limits;
  const std::uint64_t bytes = (usage.pipes - usage.large_pipes) * budget.plan.pipe_bytes +
                              usage.large_pipes * budget.plan.grown_pipe_bytes;
  const double pages = static_cast<double>(bytes) / static_cast<double>(limits.page_bytes);
  return {
      {asked_connections, share(static_cast<double>(usage.connections),
                                static_cast<double>(budget.plan.connections_max))},
      {descriptors,
       share(static_cast<double>(usage.descriptors), static_cast<double>(limits.descriptors))},
      {memory, usage.memory_share},
      {pipe_pages, share(pages, static_cast<double>(limits.pipe_user_pages_soft))},
      {cpu_time, share(usage.busy_cpus, limits.cpu_quota)},
      {cpus, share(usage.busy_cpus, static_cast<double>(limits.cpus))},
  };
}

std::string_view connections_end_first(const Budget& budget) {
  return least(resources_of(budget), &Resource::connections, SIZE_MAX, descriptors);
}

json::object budget_json(const Budget& budget, const std::optional<BudgetUse>& use) {
  const Plan& plan = budget.plan;
  const std::vector<Resource> resources = resources_of(budget);
  const std::string_view first = connections_end_first(budget);
  const std::size_t spliced = std::min(plan.pipes_total / 2, plan.connections_max);
  json::array rows;
  for (const Resource& each : resources) {
    if (!each.limit && !each.spliced && !is_measured(each.name)) continue;
    json::object row{{"name", each.name},
                     {"limit", limit_value(each.limit)},
                     {"unit", each.unit},
                     {"connections", or_null(each.connections)},
                     {"spliced", or_null(each.spliced)},
                     {"to_change", each.to_change}};
    if (use && is_measured(each.name)) row["used_ratio"] = used_share(*use, each.name);
    rows.push_back(std::move(row));
  }
  return {{"connections_max", plan.connections_max},
          {"connections_end_first", first},
          {"spliced", spliced},
          {"spliced_end_first", least(resources, &Resource::spliced, plan.connections_max, first)},
          {"copied", plan.connections_max - spliced},
          {"pipes",
           {{"total", plan.pipes_total},
            {"bytes", plan.pipe_bytes},
            {"grown", plan.grown_pipes_per_forwarder * budget.request.forwarders},
            {"grown_bytes", plan.grown_pipe_bytes}}},
          {"forwarders", budget.request.forwarders},
          {"forwarders_end_first", forwarders_end_first(budget)},
          {"resources", std::move(rows)},
          {"notes", json::array(plan.warnings.begin(), plan.warnings.end())}};
}

}  // namespace penstock::budget

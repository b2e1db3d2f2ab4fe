#include "control/budget.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/limits.hpp"
#include "os/cgroup.hpp"
#include "os/process.hpp"
#include "os/topology.hpp"
#include "runtime/placement.hpp"

namespace penstock::control {

namespace {

constexpr std::size_t connections_min = 16;
constexpr std::size_t per_connection = base::descriptors_per_connection;
constexpr std::size_t per_pipe = base::descriptors_per_pipe;

std::size_t less_or_none(std::size_t from, std::size_t amount) noexcept {
  return from > amount ? from - amount : 0;
}

// Where the limit is low, checks wait in line rather than take the place of connections.
std::size_t checks_at_once(const Limits& limits, const Wishes& wishes) noexcept {
  const std::size_t share = std::max<std::size_t>(limits.descriptors / 16, 1);
  return std::min({wishes.checked_endpoints, share, base::health_checks_max});
}

std::size_t open_files(const Limits& limits, const Wishes& wishes) noexcept {
  return std::min<std::size_t>(wishes.open_files, limits.descriptors / 8);
}

// What goes neither to pipes nor to connections.
std::size_t reserved(const Limits& limits, const Wishes& wishes) noexcept {
  return base::descriptors_reserved + checks_at_once(limits, wishes) +
         wishes.dns_sources * base::descriptors_per_lookup + open_files(limits, wishes);
}

// Where the limit is so low that not even the reserve fits, a quarter of it is still tried: the
// reserve is generous, and a proxy for a few connections is better than none.
std::size_t connections_within(const Limits& limits, const Wishes& wishes,
                               std::size_t pipes) noexcept {
  const std::size_t descriptors = limits.descriptors;
  const std::size_t left =
      less_or_none(descriptors, reserved(limits, wishes) + pipes * per_pipe) / per_connection;
  const std::size_t least = std::min(connections_min, descriptors / 4);
  return std::max({left, least, std::size_t{1}});
}

// What stays for connections when somebody asks for many pipes: as many as were asked for, else
// half. A connection without a pipe is copied; one without a descriptor waits.
std::size_t kept_for_connections(std::size_t left, const Wishes& wishes) noexcept {
  return wishes.max_connections ? *wishes.max_connections * per_connection : left / 2;
}

std::size_t pipes_within(const Limits& limits, const Wishes& wishes) noexcept {
  const std::size_t left = less_or_none(limits.descriptors, reserved(limits, wishes));
  return less_or_none(left, kept_for_connections(left, wishes)) / per_pipe;
}

// As many as are whole.
std::optional<std::size_t> pipes_of_pages(const Limits& limits, const Wishes& wishes) noexcept {
  if (limits.pipe_user_pages_soft == 0) return std::nullopt;
  const std::size_t bytes = std::max<std::size_t>(wishes.pipe_bytes, 1);
  return limits.pipe_user_pages_soft * limits.page_bytes / bytes;
}

// A sixteenth, where nobody asked for a number.
std::size_t pipes_of_descriptors(const Limits& limits, const Wishes& wishes) noexcept {
  if (wishes.max_pipes) return pipes_within(limits, wishes);
  const std::size_t share = limits.descriptors / 16;
  if (!wishes.max_connections) return share;
  const std::size_t taken = reserved(limits, wishes) + *wishes.max_connections * per_connection;
  return std::min(share, less_or_none(limits.descriptors, taken) / per_pipe);
}

std::size_t pipes_by_themselves(const Wishes& wishes, const Bounds& bounds) noexcept {
  const std::size_t pipes =
      std::min(bounds.pipes_by_descriptors, bounds.pipes_by_pages.value_or(SIZE_MAX));
  return wishes.max_connections ? std::min(pipes, *wishes.max_connections * 2) : pipes;
}

std::string does_not_fit(std::string_view key, std::size_t asked, const Limits& limits,
                         std::size_t needed, std::size_t given) {
  return fmt::format(
      "{} is {}, but the limit of {} descriptors leaves room for {}, which is used now; raise the "
      "limit to at least {} (ulimit -n, LimitNOFILE= of systemd, --ulimit nofile= of a container) "
      "or ask for less",
      key, asked, limits.descriptors, given, needed);
}

std::size_t plan_pipes(const Limits& limits, const Wishes& wishes, Plan& plan) {
  if (!wishes.splices || wishes.max_pipes == std::size_t{0}) return 0;
  if (!wishes.max_pipes) return pipes_by_themselves(wishes, plan.bounds);
  const std::size_t asked = *wishes.max_pipes;
  const std::size_t given = std::min(asked, plan.bounds.pipes_by_descriptors);
  if (given < asked) {
    const std::size_t needed = reserved(limits, wishes) + asked * per_pipe +
                               kept_for_connections(2 * asked * per_pipe, wishes);
    plan.warnings.push_back(does_not_fit("relay.max_pipes", asked, limits, needed, given));
  }
  return given;
}

std::size_t memory_to_share(const Limits& limits, const Wishes& wishes) noexcept {
  const std::size_t rings =
      wishes.rings ? wishes.forwarders * base::ring_buffers * base::ring_buffer_bytes : 0;
  return less_or_none(limits.memory_bytes, base::memory_reserved_bytes + rings);
}

void plan_buffers(const Limits& limits, const Wishes& wishes, Plan& plan) {
  plan.buffers_per_forwarder = base::held_buffers_max;
  if (limits.memory_bytes == 0) return;
  const std::size_t bytes = memory_to_share(limits, wishes) / base::memory_share_of_buffers;
  const std::size_t each = std::max<std::size_t>(wishes.buffer_bytes, 1);
  const std::size_t forwarders = std::max<std::size_t>(wishes.forwarders, 1);
  plan.buffers_per_forwarder =
      std::clamp(bytes / each / forwarders, base::held_buffers_min, base::held_buffers_max);
}

// The memory of a group is no number that a connection asks for and is refused: who goes beyond it
// is killed.
void fit_into_memory(const Limits& limits, const Wishes& wishes, Plan& plan) {
  if (limits.memory_bytes == 0) return;
  const std::size_t share = memory_to_share(limits, wishes);
  const std::size_t left = share - share / base::memory_share_of_buffers;
  const std::size_t room = std::max(connections_min, left / base::memory_per_connection_bytes);
  plan.bounds.connections_by_memory = room;
  if (room >= plan.connections_max) return;
  plan.connections_max = room;
  if (!wishes.max_connections) return;
  const std::size_t mebibytes = limits.memory_bytes >> 20;
  plan.warnings.push_back(fmt::format(
      "runtime.max_connections is {}, but {} MiB of memory leave room for {}, which is used now; "
      "raise the limit (memory.max of the control group, --memory of a container) or ask for less",
      *wishes.max_connections, mebibytes, room));
}

void plan_connections(const Limits& limits, const Wishes& wishes, Plan& plan) {
  const std::size_t room = connections_within(limits, wishes, plan.pipes_total);
  plan.bounds.connections_by_descriptors = room;
  plan.connections_max = room;
  if (!wishes.max_connections) return;
  plan.connections_max = std::min(*wishes.max_connections, room);
  if (plan.connections_max == *wishes.max_connections) return;
  const std::size_t needed = reserved(limits, wishes) + plan.pipes_total * per_pipe +
                             *wishes.max_connections * per_connection;
  plan.warnings.push_back(
      does_not_fit("runtime.max_connections", *wishes.max_connections, limits, needed, room));
}

}  // namespace

Plan plan_budget(const Limits& limits, const Wishes& wishes) {
  Plan plan;
  const bool may_splice = wishes.splices && wishes.max_pipes != std::size_t{0};
  const std::size_t forwarders = std::max<std::size_t>(wishes.forwarders, 1);
  plan.bounds.pipes_by_descriptors = pipes_of_descriptors(limits, wishes);
  plan.bounds.pipes_by_pages = pipes_of_pages(limits, wishes);
  const std::size_t pipes = plan_pipes(limits, wishes, plan);
  // Shared out evenly: a forwarder cannot lend a pipe to another.
  plan.pipes_per_forwarder = may_splice ? std::max<std::size_t>(pipes / forwarders, 1) : 0;
  plan.pipes_total = plan.pipes_per_forwarder * forwarders;
  plan.checks_at_once = checks_at_once(limits, wishes);
  plan.open_files = open_files(limits, wishes);
  plan_connections(limits, wishes, plan);
  plan_buffers(limits, wishes, plan);
  fit_into_memory(limits, wishes, plan);
  return plan;
}

Limits limits_of_this_process(bool keeps_capabilities) {
  const os::NumaTopology topology = os::numa_topology();
  return {.descriptors = os::descriptor_limit(),
          .pipe_user_pages_soft = os::pipe_user_pages_soft(keeps_capabilities),
          .page_bytes = os::page_bytes(),
          .memory_bytes = os::memory_limit().value_or(0),
          .cpus = topology.cpu_count(),
          .cpu_quota = topology.cpu_quota.value_or(0),
          .sockets = os::socket_limits()};
}

namespace {

// An endpoint that discovery may bring counts as this many: how many there will be nobody knows.
constexpr std::size_t endpoints_per_source = 256;

std::size_t checked_endpoints(const upstream::ClusterSpec& spec) {
  if (!spec.health_check) return 0;
  const std::size_t discovering = spec.sources.size() - spec.endpoints.size();
  return spec.endpoints.size() + discovering * endpoints_per_source;
}

std::size_t dns_sources(const upstream::ClusterSpec& spec) {
  return static_cast<std::size_t>(std::count_if(
      spec.sources.begin(), spec.sources.end(),
      [](const auto& source) { return std::holds_alternative<upstream::DnsSource>(source); }));
}

// Of every forwarder, for every listener of files.
std::size_t open_files_wished(const runtime::ServerSpec& spec) {
  std::size_t files = 0;
  for (const runtime::ListenerSpec& listener : spec.listeners)
    if (listener.session.files) files += listener.session.files->open_files;
  return files * runtime::planned_forwarders(spec.runtime);
}

}  // namespace

Wishes wishes_of(const Config& config) {
  const auto unless_auto = [](std::size_t value) {
    return value == 0 ? std::nullopt : std::optional{value};
  };
  const runtime::ServerSpec& spec = config.server;
  std::size_t checked = 0;
  std::size_t names = 0;
  for (const upstream::ClusterSpec& upstream : spec.upstreams) {
    checked += checked_endpoints(upstream);
    names += dns_sources(upstream);
  }
  const std::size_t forwarders = runtime::planned_forwarders(spec.runtime);
  return {
      .forwarders = forwarders,
      .forwarders_asked = spec.runtime.forwarders != 0 || !spec.runtime.forwarders_by_node.empty(),
      .pipe_bytes = spec.relay.pipe_bytes,
      .buffer_bytes = spec.relay.buffer_bytes,
      .splices = spec.relay.engine != relay::EnginePolicy::copy &&
                 spec.relay.engine != relay::EnginePolicy::zerocopy,
      .rings = spec.relay.engine == relay::EnginePolicy::uring,
      .max_pipes = config.max_pipes,
      .max_connections = unless_auto(spec.runtime.max_connections),
      .checked_endpoints = checked,
      .dns_sources = names,
      .open_files = open_files_wished(spec)};
}

Budget budget_of(const Config& config, bool keeps_capabilities) {
  Budget budget{.limits = limits_of_this_process(keeps_capabilities),
                .wishes = wishes_of(config),
                .plan = {}};
  budget.plan = plan_budget(budget.limits, budget.wishes);
  for (std::string& cut : kernel_cuts(config.server, budget.limits.sockets))
    budget.plan.warnings.push_back(std::move(cut));
  return budget;
}

void apply(const Plan& plan, runtime::ServerSpec& spec) {
  spec.relay.pipes_max = plan.pipes_per_forwarder;
  spec.relay.buffers_max = plan.buffers_per_forwarder;
  spec.runtime.max_connections = plan.connections_max;
  const std::size_t wished = open_files_wished(spec);
  for (runtime::ListenerSpec& listener : spec.listeners)
    if (listener.session.files) {
      std::size_t& kept = listener.session.files->open_files;
      kept = std::max<std::size_t>(kept * plan.open_files / wished, 1);
    }
}

}  // namespace penstock::control

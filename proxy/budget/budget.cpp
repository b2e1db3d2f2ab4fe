#include "budget/budget.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/limits.hpp"
#include "budget/pipe_sizes.hpp"
#include "os/cgroup.hpp"
#include "os/process.hpp"
#include "os/topology.hpp"
#include "relay/pool_index.hpp"
#include "runtime/placement.hpp"
#include "session/ready_sockets.hpp"

namespace penstock::budget {

namespace {

// Fewer deserve a word, and memory, whose need is an estimate, always leaves room for so many.
constexpr std::size_t connections_few = 16;
constexpr std::size_t per_connection = base::descriptors_per_connection;
constexpr std::size_t per_pipe = base::descriptors_per_pipe;
constexpr std::size_t pipes_share = 4;  // asked for, they have at most a quarter of the descriptors

std::size_t less_or_none(std::size_t from, std::size_t amount) noexcept {
  return from > amount ? from - amount : 0;
}

// Where the limit is low, checks wait in line rather than take the place of connections.
std::size_t checks_at_once(const Limits& limits, const ResourceRequest& request) noexcept {
  const std::size_t share = std::max<std::size_t>(limits.descriptors / 16, 1);
  return std::min({request.checked_endpoints, share, base::health_checks_max});
}

std::size_t open_files(const Limits& limits, const ResourceRequest& request) noexcept {
  return std::min<std::size_t>(request.open_files, limits.descriptors / 8);
}

// Of each address: all of them together have their share, and no address has none.
std::size_t admin_places(const Limits& limits, const ResourceRequest& request) noexcept {
  if (request.admin_binds == 0) return 0;
  const std::size_t share = limits.descriptors / 16 / request.admin_binds;
  return std::clamp<std::size_t>(share, 1, base::admin_connections_max);
}

// What goes neither to pipes nor to connections.
std::size_t reserved(const Limits& limits, const ResourceRequest& request) noexcept {
  const std::size_t generous =
      std::min<std::size_t>(base::descriptors_reserved, limits.descriptors / 4);
  const std::size_t own =
      request.own_descriptors + request.admin_binds * admin_places(limits, request);
  return std::max(own, generous) + checks_at_once(limits, request) +
         request.dns_sources * base::descriptors_per_lookup + open_files(limits, request);
}

// Where not even the reserve fits one is tried: the reserve is generous, and a proxy for one
// connection after the other is better than none.
std::size_t connections_within(const Limits& limits, const ResourceRequest& request,
                               std::size_t pipes) noexcept {
  const std::size_t taken = reserved(limits, request) + pipes * per_pipe;
  return std::max<std::size_t>(less_or_none(limits.descriptors, taken) / per_connection, 1);
}

// What the connections leave; where their number is ours to choose, a quarter of the descriptors: a
// connection without a pipe is copied, one without a descriptor waits.
std::size_t pipes_beside_connections(const Limits& limits,
                                     const ResourceRequest& request) noexcept {
  if (!request.max_connections) return limits.descriptors / pipes_share / per_pipe;
  const std::size_t taken = reserved(limits, request) + *request.max_connections * per_connection;
  return less_or_none(limits.descriptors, taken) / per_pipe;
}

// A sixteenth, where nobody asked for a number.
std::size_t pipes_of_descriptors(const Limits& limits, const ResourceRequest& request) noexcept {
  const std::size_t room = pipes_beside_connections(limits, request);
  return request.max_pipes ? room : std::min<std::size_t>(room, limits.descriptors / 16);
}

std::size_t pipes_by_themselves(const ResourceRequest& request, const Bounds& bounds) noexcept {
  const std::size_t pipes =
      std::min(bounds.pipes_by_descriptors, bounds.pipes_by_pages.value_or(SIZE_MAX));
  return request.max_connections ? std::min(pipes, *request.max_connections * 2) : pipes;
}

std::string does_not_fit(std::string_view key, std::size_t asked, const Limits& limits,
                         std::size_t needed, std::size_t given) {
  return fmt::format(
      "{} is {}, but the limit of {} descriptors leaves room for {}, which is used now; raise the "
      "limit to at least {} (ulimit -n, LimitNOFILE= of systemd, --ulimit nofile= of a container) "
      "or ask for less",
      key, asked, limits.descriptors, given, needed);
}

std::string too_few(const Limits& limits, const ResourceRequest& request, std::size_t room) {
  return fmt::format(
      "the limit of {} descriptors leaves room for {} connections at a time, for penstock itself "
      "needs {}: clients wait in the backlog; raise the limit (ulimit -n, LimitNOFILE= of systemd, "
      "--ulimit nofile= of a container)",
      limits.descriptors, room, reserved(limits, request));
}

std::size_t plan_pipes(const Limits& limits, const ResourceRequest& request, Plan& plan) {
  if (!request.splices || request.max_pipes == std::size_t{0}) return 0;
  if (!request.max_pipes) return pipes_by_themselves(request, plan.bounds);
  const std::size_t asked = *request.max_pipes;
  const std::size_t given = std::min(asked, plan.bounds.pipes_by_descriptors);
  if (given < asked) {
    const std::size_t needed =
        request.max_connections ? reserved(limits, request) +
                                      *request.max_connections * per_connection + asked * per_pipe
                                : asked * per_pipe * pipes_share;
    plan.warnings.push_back(does_not_fit("relay.max_pipes", asked, limits, needed, given));
  }
  return given;
}

std::size_t memory_to_share(const Limits& limits, const ResourceRequest& request) noexcept {
  const std::size_t rings =
      request.rings ? request.forwarders * base::ring_buffers * base::ring_buffer_bytes : 0;
  return less_or_none(limits.memory_bytes, base::memory_reserved_bytes + rings);
}

void plan_buffers(const Limits& limits, const ResourceRequest& request, Plan& plan) {
  plan.buffers_per_forwarder = base::held_buffers_max;
  if (limits.memory_bytes == 0) return;
  const std::size_t bytes = memory_to_share(limits, request) / base::memory_share_of_buffers;
  const std::size_t each = std::max<std::size_t>(request.buffer_bytes, 1);
  const std::size_t forwarders = std::max<std::size_t>(request.forwarders, 1);
  plan.buffers_per_forwarder =
      std::clamp(bytes / each / forwarders, base::held_buffers_min, base::held_buffers_max);
}

// The memory of a group is no number that a connection asks for and is refused: who goes beyond it
// is killed.
void fit_into_memory(const Limits& limits, const ResourceRequest& request, Plan& plan) {
  if (limits.memory_bytes == 0) return;
  const std::size_t share = memory_to_share(limits, request);
  const std::size_t left = share - share / base::memory_share_of_buffers;
  const std::size_t room = std::max(connections_few, left / base::memory_per_connection_bytes);
  plan.bounds.connections_by_memory = room;
  if (room >= plan.connections_max) return;
  plan.connections_max = room;
  if (!request.max_connections) return;
  const std::size_t mebibytes = limits.memory_bytes >> 20;
  plan.warnings.push_back(fmt::format(
      "runtime.max_connections is {}, but {} MiB of memory leave room for {}, which is used now; "
      "raise the limit (memory.max of the control group, --memory of a container) or ask for less",
      *request.max_connections, mebibytes, room));
}

void plan_connections(const Limits& limits, const ResourceRequest& request, Plan& plan) {
  const std::size_t room = connections_within(limits, request, plan.pipes_total);
  plan.bounds.connections_by_descriptors = room;
  plan.connections_max = room;
  if (!request.max_connections) {
    if (room < connections_few) plan.warnings.push_back(too_few(limits, request, room));
    return;
  }
  plan.connections_max = std::min(*request.max_connections, room);
  if (plan.connections_max == *request.max_connections) return;
  const std::size_t needed = reserved(limits, request) + plan.pipes_total * per_pipe +
                             *request.max_connections * per_connection;
  plan.warnings.push_back(
      does_not_fit("runtime.max_connections", *request.max_connections, limits, needed, room));
}

}  // namespace

Plan plan_budget(const Limits& limits, const ResourceRequest& request) {
  Plan plan;
  const bool may_splice = request.splices && request.max_pipes != std::size_t{0};
  const std::size_t forwarders = std::max<std::size_t>(request.forwarders, 1);
  plan.bounds.pipes_by_descriptors = pipes_of_descriptors(limits, request);
  const PipeSizes sizes = pipe_sizes(limits, request, memory_to_share(limits, request));
  plan.bounds.pipes_by_pages = sizes.pipes_by_pages;
  const std::size_t pipes = plan_pipes(limits, request, plan);
  // Shared out evenly: a forwarder cannot lend a pipe to another.
  plan.pipes_per_forwarder =
      may_splice ? std::clamp<std::size_t>(pipes / forwarders, 1, relay::pool_places_max) : 0;
  plan.pipes_total = plan.pipes_per_forwarder * forwarders;
  plan.pipe_bytes = sizes.bytes;
  plan.grown_pipes_per_forwarder =
      std::min(sizes.grown_per_forwarder,
               (plan.pipes_per_forwarder + base::grown_pipes_share - 1) / base::grown_pipes_share);
  plan.grown_pipe_bytes = sizes.grown_bytes;
  plan.checks_at_once = checks_at_once(limits, request);
  plan.open_files = open_files(limits, request);
  plan.admin_places = admin_places(limits, request);
  plan_connections(limits, request, plan);
  plan_buffers(limits, request, plan);
  fit_into_memory(limits, request, plan);
  return plan;
}

Limits limits_of_this_process(bool keeps_capabilities) {
  const os::NumaTopology topology = os::numa_topology();
  return {.descriptors = os::descriptor_limit(),
          .pipe_user_pages_soft = os::pipe_user_pages_soft(keeps_capabilities),
          .pipe_bytes_max = os::pipe_bytes_max(),
          .page_bytes = os::page_bytes(),
          .memory_bytes = os::memory_limit().value_or(0),
          .cpus = topology.cpu_count(),
          .cpu_quota = topology.cpu_quota.value_or(0),
          .sockets = os::socket_limits()};
}

namespace {

// An endpoint that discovery may bring counts as this many: how many there will be nobody knows.
constexpr std::size_t endpoints_per_source = 256;

std::size_t expected_endpoints(const upstream::ClusterSpec& spec) {
  const std::size_t discovering = spec.sources.size() - spec.endpoints.size();
  return spec.endpoints.size() + discovering * endpoints_per_source;
}

std::size_t checked_endpoints(const upstream::ClusterSpec& spec) {
  return spec.health_check ? expected_endpoints(spec) : 0;
}

// That a forwarder keeps ready. None on a ring, but whether it gets one is known only when it asks.
std::size_t ready_sockets(const runtime::ServerSpec& spec) {
  std::size_t sockets = 0;
  for (const upstream::ClusterSpec& upstream : spec.upstreams)
    sockets += expected_endpoints(upstream) * static_cast<std::size_t>(upstream.connect.ready);
  return std::min(sockets, session::ReadySockets::kept_max);
}

std::size_t dns_sources(const upstream::ClusterSpec& spec) {
  return static_cast<std::size_t>(std::count_if(
      spec.sources.begin(), spec.sources.end(),
      [](const auto& source) { return std::holds_alternative<upstream::DnsSource>(source); }));
}

// As /proc/self/fd shows them: the standard streams (3), what the sandbox keeps (4), control's loop
// (3), its signals, its bell and its watch of files (3), the access log; and ten for what is opened
// for a moment: pages of /proc, certificates, name servers.
constexpr std::size_t descriptors_of_process = 3 + 4 + 3 + 3 + 1 + 10;
constexpr std::size_t descriptors_of_forwarder = 3;  // a poller, its bell, its ring
constexpr std::size_t descriptors_of_acceptor = 4;   // a loop's three and its bell

std::size_t own_descriptors(const Configured& configured) {
  const runtime::ServerSpec& spec = configured.server;
  const std::size_t acceptors = runtime::planned_acceptors(spec.runtime);
  std::size_t sockets = configured.admin_binds;
  for (const runtime::ListenerSpec& listener : spec.listeners)
    sockets += listener.addresses.size() * acceptors + (listener.session.files ? 1 : 0);
  return descriptors_of_process + sockets + acceptors * descriptors_of_acceptor +
         runtime::planned_forwarders(spec.runtime) *
             (descriptors_of_forwarder + ready_sockets(spec));
}

// Of every forwarder, for every listener of files.
std::size_t open_files_wished(const runtime::ServerSpec& spec) {
  std::size_t files = 0;
  for (const runtime::ListenerSpec& listener : spec.listeners)
    if (listener.session.files) files += listener.session.files->open_files;
  return files * runtime::planned_forwarders(spec.runtime);
}

}  // namespace

ResourceRequest request_of(const Configured& configured) {
  const auto unless_auto = [](std::size_t value) {
    return value == 0 ? std::nullopt : std::optional{value};
  };
  const runtime::ServerSpec& spec = configured.server;
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
      .pipe_bytes = configured.pipe_size,
      .buffer_bytes = spec.relay.buffer_bytes,
      .splices = spec.relay.engine != relay::EnginePolicy::copy &&
                 spec.relay.engine != relay::EnginePolicy::zerocopy,
      .rings = spec.relay.engine == relay::EnginePolicy::uring,
      .max_pipes = configured.max_pipes,
      .max_connections = unless_auto(spec.runtime.max_connections),
      .checked_endpoints = checked,
      .dns_sources = names,
      .open_files = open_files_wished(spec),
      .own_descriptors = own_descriptors(configured),
      .admin_binds = configured.admin_binds};
}

Budget budget_of(const Configured& configured, const Limits& limits) {
  Budget budget{.limits = limits, .request = request_of(configured), .plan = {}};
  budget.plan = plan_budget(budget.limits, budget.request);
  for (std::string& cut : kernel_cuts(configured.server, budget.limits.sockets))
    budget.plan.warnings.push_back(std::move(cut));
  return budget;
}

runtime::ServerSpec within(const Plan& plan, runtime::ServerSpec spec) {
  spec.relay.pipe_bytes = plan.pipe_bytes;
  spec.relay.pipes_max = plan.pipes_per_forwarder;
  spec.relay.grown_pipe_bytes = plan.grown_pipe_bytes;
  spec.relay.grown_pipes_max = plan.grown_pipes_per_forwarder;
  spec.relay.buffers_max = plan.buffers_per_forwarder;
  spec.runtime.max_connections = plan.connections_max;
  const std::size_t wished = open_files_wished(spec);
  for (runtime::ListenerSpec& listener : spec.listeners)
    if (listener.session.files) {
      std::size_t& kept = listener.session.files->open_files;
      kept = std::max<std::size_t>(kept * plan.open_files / wished, 1);
    }
  return spec;
}

}  // namespace penstock::budget

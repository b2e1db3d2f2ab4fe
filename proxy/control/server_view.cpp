#include "control/server_view.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/version.hpp"
#include "os/cgroup.hpp"
#include "os/clock.hpp"
#include "os/topology.hpp"
#include "report/explain.hpp"
#include "report/json_pieces.hpp"
#include "report/metrics/metrics.hpp"
#include "report/numa/report.hpp"
#include "report/totals.hpp"
#include "report/upstreams.hpp"
#include "runtime/round_times.hpp"
#include "runtime/server.hpp"
#include "runtime/views.hpp"
#include "session/counters.hpp"
#include "session/listener.hpp"
#include "upstream/registry.hpp"

namespace penstock::control {

namespace {

namespace json = boost::json;

// Only the reasons that occurred.
json::object closed_object(const report::ListenerTotals& totals) {
  json::object closed;
  for (std::size_t i = 0; i < totals.closed.size(); ++i)
    if (totals.closed[i] > 0) closed[session::close_reason_names.names[i]] = totals.closed[i];
  return closed;
}

base::PagePieces one_piece(std::function<json::value()> make) {
  return {[make = std::move(make)](std::string& text) { text += json::serialize(make()) + '\n'; }};
}

}  // namespace

ServerView::ServerView(const upstream::Registry& registry, runtime::Server& server,
                       const ForwarderWatch& watch, const report::AccessLog& access_log,
                       UpstreamControl& upstreams, Lifecycle& lifecycle, StartFacts facts)
    : registry_{registry},
      server_{server},
      watch_{watch},
      access_log_{access_log},
      upstreams_{upstreams},
      lifecycle_{lifecycle},
      facts_{std::move(facts)},
      started_{os::now()},
      started_wall_seconds_{static_cast<double>(os::wall_clock_nanoseconds()) * 1e-9} {}

std::string ServerView::unhealthy_because() {
  const base::Instant now = os::now();
  for (const auto& forwarder : server_.forwarders())
    if (!watch_.answers(forwarder, now))
      return "forwarder " + std::to_string(forwarder.index) + " has not answered for 5 seconds";
  return {};
}

std::string ServerView::not_ready_because() {
  switch (lifecycle_.stage()) {
    case Stage::ready: return {};
    case Stage::starting: return "not started yet";
    default: return "a drain runs";
  }
}

base::PagePieces ServerView::page(admin::PageName name) {
  switch (name) {
    case admin::PageName::metrics: return metrics();
    case admin::PageName::status: return one_piece([this] { return status(); });
    case admin::PageName::listeners: return listeners();
    case admin::PageName::upstreams: return upstreams();
    case admin::PageName::numa: return one_piece([this] { return numa(); });
    case admin::PageName::budget: return one_piece([this] { return budget(); });
    case admin::PageName::config_yaml:
      return {[this](std::string& text) { text += facts_.config.yaml; }};
    case admin::PageName::config_json:
      return {[this](std::string& text) { text += facts_.config.json; }};
  }
  return {};
}

base::PagePieces ServerView::metrics() {
  report::MetricsInput input = report::metrics_input(server_, registry_);
  input.busy_ratios = watch_.busy_ratios();
  input.dns = upstreams_.dns_counts();
  input.control_blocked = lifecycle_.blocked_calls();
  input.log_lines_dropped = access_log_.dropped();
  input.process = os::process_usage();
  input.budget_used = budget_used(input.process);
  input.config_hash = facts_.config.hash;
  input.descriptor_limit = os::descriptor_limit();
  input.start_seconds = started_wall_seconds_;
  return report::metrics_pieces(std::move(input));
}

json::value ServerView::status() {
  const std::string unhealthy = unhealthy_because();
  const std::string not_ready = not_ready_because();
  json::object status{
      {"version", base::version()},
      {"pid", os::process_id()},
      {"state", stage_names[lifecycle_.stage()]},
      {"healthy", unhealthy.empty()},
      {"ready", not_ready.empty()},
      {"uptime_seconds",
       std::chrono::duration_cast<std::chrono::seconds>(os::now() - started_).count()},
      {"connections_active", server_.connections_active()},
      {"connections_max", server_.connections_max()},
      {"accepting_paused", server_.accepting_paused()},
      {"listeners", listeners_in_short()},
      {"forwarders", forwarders()}};
  if (!unhealthy.empty()) status["unhealthy_because"] = unhealthy;
  if (!not_ready.empty()) status["not_ready_because"] = not_ready;
  return status;
}

json::array ServerView::addresses_of(std::size_t listener) const {
  json::array addresses;
  for (const os::SocketAddress& address : server_.addresses(listener))
    addresses.emplace_back(address.to_string());
  return addresses;
}

json::array ServerView::listeners_in_short() const {
  json::array array;
  for (const auto& listener : server_.listeners())
    array.push_back({{"name", listener->options.name},
                     {"addresses", addresses_of(listener->index)},
                     {"connections_active", listener->active.load(std::memory_order_relaxed)}});
  return array;
}

json::array ServerView::forwarders() const {
  const base::Instant now = os::now();
  json::array array;
  for (const auto& forwarder : server_.forwarders())
    array.push_back({{"index", forwarder.index},
                     {"node", forwarder.node},
                     {"cpu", forwarder.cpu < 0 ? json::value{} : json::value(forwarder.cpu)},
                     {"busy_ratio", watch_.busy_ratios().at(forwarder.index)},
                     {"answers", watch_.answers(forwarder, now)}});
  return array;
}

json::object ServerView::listener_json(std::size_t index) const {
  const auto& listener = *server_.listeners()[index];
  const report::ListenerTotals totals =
      report::listener_totals(server_.forwarders(), listener.index);
  return {{"name", listener.options.name},
          {"addresses", addresses_of(listener.index)},
          {"to", listener.options.files ? "files" : listener.options.upstream},
          {"connections_active", listener.active.load(std::memory_order_relaxed)},
          {"connections_max", listener.options.max_connections},
          {"connections_accepted", totals.accepted},
          {"connections_closed", closed_object(totals)},
          {"bytes_to_upstream", totals.bytes[session::to_upstream]},
          {"bytes_to_client", totals.bytes[session::to_client]}};
}

base::PagePieces ServerView::listeners() {
  return report::pieces_of_list(
      "listeners", server_.listeners().size(),
      [this](std::string& page, std::size_t i) { page += json::serialize(listener_json(i)); });
}

base::PagePieces ServerView::upstreams() {
  const base::Instant now = os::now();
  clock_.look(now, os::wall_clock_nanoseconds());
  return report::upstreams_pieces(registry_, now, clock_);
}

// The plan is that of the start; memory and CPUs are those of now.
json::value ServerView::numa() {
  return report::numa_json({.topology = os::numa_topology(),
                            .devices = server_.devices(),
                            .decisions = server_.decisions(),
                            .threads = server_.threads_with_pages(),
                            .is_running = true});
}

budget::BudgetUse ServerView::budget_used(const os::ProcessUsage& process) const {
  budget::Usage usage{.connections = server_.connections_active(),
                      .descriptors = process.open_descriptors,
                      .memory_share = os::memory_share_used().value_or(0)};
  const report::RelayTotals relay = report::relay_totals(server_.forwarders());
  // Read one after the other, while forwarders go on.
  usage.pipes = relay.pipes_leased + relay.pipes_idle;
  usage.large_pipes = std::min(relay.pipes_large, usage.pipes);
  for (const double busy : watch_.busy_ratios()) usage.busy_cpus += busy;
  return budget::budget_use(facts_.budget, usage);
}

json::value ServerView::budget() {
  return budget::budget_json(facts_.budget, budget_used(os::process_usage()));
}

admin::Explained ServerView::explain(const admin::ExplainQuestion& question) {
  std::vector<const session::ListenerOptions*> listeners;
  for (const auto& listener : server_.listeners()) listeners.push_back(&listener->options);
  return report::explain_json(question.listener, question.source, listeners, registry_);
}

void ServerView::drain() {
  lifecycle_.begin_drain("POST /drain");
}

void ServerView::at_end_of_drain(std::function<void(const admin::DrainEnd&)> told) {
  lifecycle_.at_end(std::move(told));
}

bool ServerView::set_override(const std::string& upstream, const std::string& endpoint,
                              upstream::Override said) {
  return upstreams_.set_override(upstream, endpoint, said);
}

}  // namespace penstock::control

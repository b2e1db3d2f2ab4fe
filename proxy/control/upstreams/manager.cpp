#include "control/upstreams/manager.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "os/clock.hpp"
#include "upstream/endpoint_life.hpp"
#include "upstream/registry.hpp"

namespace penstock::control {

namespace {

// Of one refresh; when a whole rack fails its name is known after so many.
constexpr std::size_t lines_max = 20;

bool is_bad(upstream::State state) {
  return state == upstream::State::down || state == upstream::State::ejected;
}

}  // namespace

UpstreamControl::UpstreamControl(boost::asio::io_context& io, upstream::Registry& registry,
                                 runtime::Server& server, logging::Log& log)
    : registry_{registry},
      server_{server},
      log_{log},
      timer_{io},
      conditions_(registry.upstreams().size(), Condition::serves) {
  for (const auto& upstream : registry.upstreams())
    for (const auto& source : upstream->spec().sources)
      if (std::holds_alternative<upstream::DnsSource>(source)) dns_counts_[upstream->name()];
}

void UpstreamControl::replace_endpoints(upstream::Upstream& upstream,
                                        const std::vector<upstream::EndpointSpec>& endpoints,
                                        const upstream::Registry::Left& left,
                                        std::shared_ptr<const upstream::SlotTables> slots) {
  const auto change =
      registry_.replace_endpoints(upstream, endpoints, os::now(), left, std::move(slots));
  if (!change.is_change) return;
  log_.info(fmt::format("upstream {} has {} endpoints now: {} new, {} gone", upstream.name(),
                        endpoints.size(), change.added.size(),
                        change.removed.size() + change.left.size()));
  for (upstream::LiveRecord* endpoint : change.added) endpoint->control.was_found = true;
  for (upstream::LiveRecord* endpoint : change.removed)
    end_connections_of(*endpoint, upstream.spec().on_remove,
                       session::CloseReason::endpoint_removed);
  refresh();
}

void UpstreamControl::count(const std::string& upstream, upstream::DnsResult result) {
  ++dns_counts_[upstream][static_cast<std::size_t>(result)];
}

void UpstreamControl::judge(upstream::LiveRecord& endpoint, upstream::Health health,
                            std::string why) {
  if (!registry_.set_health(endpoint, health, std::move(why), os::now())) return;
  // Ejected it is already, and as long as it is, it is not shown as down.
  if (health == upstream::Health::down && endpoint.is_ejected()) obey_on_down(endpoint);
  refresh_soon();
}

bool UpstreamControl::set_override(const std::string& upstream, const std::string& endpoint,
                                   upstream::Override said) {
  const upstream::Upstream* found = registry_.find(upstream);
  if (found == nullptr) return false;
  for (const auto& one : found->cluster().endpoints()) {
    if (one.live->identity != endpoint && one.live->address.to_string() != endpoint) continue;
    registry_.set_override(*one.live, said, os::now());
    refresh();
    return true;
  }
  return false;
}

void UpstreamControl::refresh() {
  refreshed_ = os::now();
  const auto refreshed = registry_.refresh(refreshed_);
  tell(refreshed.changed);
  tell_reach(refreshed.reach_changed);
  tell_speaks_first(refreshed.speaks_first);
  for (upstream::LiveRecord* endpoint : refreshed.forgotten)
    end_connections_of(*endpoint, registry_.find(endpoint->upstream)->spec().on_remove,
                       session::CloseReason::endpoint_removed);
  if (!leaving_.empty()) server_.remove_endpoints(std::exchange(leaving_, {}));
  for (const upstream::Upstream* upstream : refreshed.doubted)
    if (on_doubt_) on_doubt_(upstream->name());
  tell_conditions();
  wake_at(refreshed.next);
}

void UpstreamControl::refresh_soon() {
  const base::Instant now = os::now();
  if (now - refreshed_ >= refresh_interval) return refresh();
  if (const base::Instant due = refreshed_ + refresh_interval; due < wakes_at_) wake_at(due);
}

void UpstreamControl::tell(const std::vector<upstream::LiveRecord*>& changed) {
  for (std::size_t i = 0; i < changed.size(); ++i) {
    upstream::LiveRecord& endpoint = *changed[i];
    const upstream::State state = endpoint.control.shown;
    if (state == upstream::State::down) obey_on_down(endpoint);
    if (i >= lines_max) continue;
    const std::string line =
        fmt::format("endpoint {} of upstream {} is {}: {}", endpoint.identity, endpoint.upstream,
                    upstream::state_names[state], upstream::why_of(endpoint));
    is_bad(state) ? log_.warning(line) : log_.info(line);
  }
  if (changed.size() > lines_max)
    log_.warning(fmt::format("{} more endpoints changed their state", changed.size() - lines_max));
}

void UpstreamControl::tell_reach(const std::vector<upstream::LiveRecord*>& changed) {
  for (std::size_t i = 0; i < changed.size() && i < lines_max; ++i) {
    const upstream::LiveRecord& endpoint = *changed[i];
    const std::string where =
        fmt::format("endpoint {} of upstream {}", endpoint.identity, endpoint.upstream);
    if (const auto fault = endpoint.known_host_fault())
      log_.warning(fmt::format("{} cannot be reached from here: {}", where,
                               upstream::host_fault_text(*fault)));
    else
      log_.info(where + " can be reached from here again");
  }
  if (changed.size() > lines_max)
    log_.warning(fmt::format("{} more endpoints can, or cannot, be reached from here",
                             changed.size() - lines_max));
}

void UpstreamControl::tell_speaks_first(const std::vector<upstream::LiveRecord*>& endpoints) {
  for (std::size_t i = 0; i < endpoints.size() && i < lines_max; ++i)
    log_.warning(fmt::format(
        "endpoint {} of upstream {} speaks first, on a connection that was kept ready: none are "
        "kept there any more; set connect.ready of the upstream to 0",
        endpoints[i]->identity, endpoints[i]->upstream));
  if (endpoints.size() > lines_max)
    log_.warning(fmt::format("{} more endpoints speak first", endpoints.size() - lines_max));
}

UpstreamControl::Condition UpstreamControl::condition_of(const upstream::Cluster& cluster) {
  const upstream::Layout& layout = cluster.layout();
  if (layout.tiers.empty()) return Condition::nobody;
  // Not as the layout has it: there they come in every few seconds, to be asked again.
  const auto& first = layout.tiers.front().members;
  if (std::all_of(first.begin(), first.end(), [&](std::uint16_t index) {
        return cluster.endpoint(index).live->known_host_fault().has_value();
      }))
    return Condition::cut_off;
  return layout.panics ? Condition::panics : Condition::serves;
}

void UpstreamControl::tell_conditions() {
  for (const auto& upstream : registry_.upstreams()) {
    const Condition now = condition_of(upstream->cluster());
    if (std::exchange(conditions_[upstream->index()], now) == now) continue;
    const std::string& name = upstream->name();
    switch (now) {
      case Condition::serves:
        log_.info(fmt::format("upstream {} has endpoints for new connections again", name));
        break;
      case Condition::panics:
        log_.warning(
            fmt::format("upstream {}: so few endpoints are healthy that health is "
                        "ignored (panic_threshold)",
                        name));
        break;
      case Condition::cut_off:
        log_.warning(
            fmt::format("upstream {}: this host can connect to none of its endpoints: "
                        "connections are reset (connect_failed)",
                        name));
        break;
      case Condition::nobody:
        log_.warning(
            fmt::format("upstream {} has no endpoint for new connections: they are "
                        "reset (no_endpoint)",
                        name));
        break;
    }
  }
}

void UpstreamControl::obey_on_down(upstream::LiveRecord& endpoint) {
  end_connections_of(endpoint, registry_.find(endpoint.upstream)->spec().on_down,
                     session::CloseReason::endpoint_down);
}

void UpstreamControl::end_connections_of(upstream::LiveRecord& endpoint,
                                         upstream::RemovalPolicy removal,
                                         session::CloseReason reason) {
  if (removal == upstream::RemovalPolicy::keep) return;
  leaving_.push_back({.endpoint = &endpoint,
                      .reason = reason,
                      .at_once = removal == upstream::RemovalPolicy::close});
}

void UpstreamControl::wake_at(base::Instant next) {
  wakes_at_ = next;
  if (next == base::never) {
    timer_.cancel();
    return;
  }
  timer_.set(std::max(base::Duration{0}, next - os::now()), [this] { refresh(); });
}

}  // namespace penstock::control

#include "control/upstream_view.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "control/access_log_format.hpp"
#include "control/wall_clock.hpp"
#include "upstream/endpoint_life.hpp"
#include "upstream/registry.hpp"

namespace penstock::control {

namespace {

namespace json = boost::json;

json::object totals_of(const upstream::LiveRecord& live) {
  std::uint64_t failures = 0;
  for (const auto& count : live.failures) failures += count.load(std::memory_order_relaxed);
  return {{"connections", live.connections.load(std::memory_order_relaxed)},
          {"failures", failures},
          {"ejections", live.ejections.load(std::memory_order_relaxed)}};
}

json::object endpoint_json(const upstream::Cluster& cluster, std::size_t index, base::Instant now,
                           const WallClock& clock) {
  const upstream::Cluster::Endpoint& endpoint = cluster.endpoints()[index];
  const upstream::LiveRecord& live = *endpoint.live;
  return {{"identity", live.identity},
          {"address", live.address.to_string()},
          // As the last layout knows it, which is what connections meet.
          {"state", upstream::state_names[live.control.shown]},
          {"why", upstream::why_of(live)},
          {"since", format_time(clock.at(live.control.since))},
          {"health", upstream::health_names[live.control.health]},
          {"takes", upstream::standing_names[cluster.layout().standing[index]]},
          {"weight", endpoint.weight},
          {"ramp", upstream::ramp_at(live, now)},
          {"priority", endpoint.priority},
          {"active", live.active.load(std::memory_order_relaxed)},
          {"max_connections", endpoint.max_connections},
          {"totals", totals_of(live)}};
}

}  // namespace

json::array upstreams_json(const upstream::Registry& registry, base::Instant now,
                           const WallClock& clock) {
  json::array array;
  for (const auto& upstream : registry.upstreams()) {
    const upstream::Cluster& cluster = upstream->cluster();
    json::array endpoints;
    for (std::size_t i = 0; i < cluster.endpoints().size(); ++i)
      endpoints.push_back(endpoint_json(cluster, i, now, clock));
    array.push_back({{"name", upstream->name()},
                     {"balance", upstream::balance_names[cluster.balance()]},
                     {"panics", cluster.layout().panics},
                     {"queue_length", upstream->queue().length()},
                     {"queue_size", upstream->spec().queue.size},
                     {"endpoints", std::move(endpoints)}});
  }
  return array;
}

}  // namespace penstock::control

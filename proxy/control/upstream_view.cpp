#include "control/upstream_view.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "control/access_log_format.hpp"
#include "control/json_pieces.hpp"
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

// One endpoint of a snapshot, which may be gone before the row is written; its record is not.
struct Row {
  upstream::Cluster::Endpoint endpoint;
  upstream::Standing standing;
};

json::object endpoint_json(const Row& row, base::Instant now, const WallClock& clock) {
  const upstream::LiveRecord& live = *row.endpoint.live;
  return {{"identity", live.identity},
          {"address", live.address.to_string()},
          // As the last layout knows it, which is what connections meet.
          {"state", upstream::state_names[live.control.shown]},
          {"why", upstream::why_of(live)},
          {"since", format_time(clock.at(live.control.since))},
          {"health", upstream::health_names[live.control.health]},
          {"takes", upstream::standing_names[row.standing]},
          {"weight", row.endpoint.weight},
          {"ramp", upstream::ramp_at(live, now)},
          {"priority", row.endpoint.priority},
          {"active", live.active.load(std::memory_order_relaxed)},
          {"max_connections", row.endpoint.max_connections},
          {"totals", totals_of(live)}};
}

// All but the endpoints, whose list is left open.
std::string head_of(const upstream::Upstream& upstream) {
  const upstream::Cluster& cluster = upstream.cluster();
  std::string text =
      json::serialize(json::object{{"name", upstream.name()},
                                   {"balance", upstream::balance_names[cluster.balance()]},
                                   {"panics", cluster.layout().panics},
                                   {"queue_length", upstream.queue().length()},
                                   {"queue_size", upstream.spec().queue.size}});
  text.back() = ',';
  return text + "\"endpoints\":[";
}

void add_upstream(PagePieces& pieces, const upstream::Upstream& upstream, base::Instant now,
                  const WallClock& clock) {
  const upstream::Cluster& cluster = upstream.cluster();
  std::vector<Row> rows;
  for (std::size_t i = 0; i < cluster.endpoints().size(); ++i)
    rows.push_back({cluster.endpoints()[i], cluster.layout().standing[i]});
  add_text(pieces, head_of(upstream));
  const std::size_t count = rows.size();
  add_rows(pieces, count,
           [rows = std::make_shared<const std::vector<Row>>(std::move(rows)), now,
            &clock](std::size_t i) { return endpoint_json((*rows)[i], now, clock); });
  add_text(pieces, "]}");
}

}  // namespace

PagePieces upstreams_pieces(const upstream::Registry& registry, base::Instant now,
                            const WallClock& clock) {
  PagePieces pieces;
  add_text(pieces, "{\"upstreams\":[");
  const char* separator = "";
  for (const auto& upstream : registry.upstreams()) {
    add_text(pieces, std::exchange(separator, ","));
    add_upstream(pieces, *upstream, now, clock);
  }
  add_text(pieces, "]}\n");
  return pieces;
}

}  // namespace penstock::control

#include "report/upstreams.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "report/access_log/format.hpp"
#include "report/json_pieces.hpp"
#include "report/wall_clock.hpp"
#include "upstream/endpoint_life.hpp"
#include "upstream/registry.hpp"

namespace penstock::report {

namespace {

namespace json = boost::json;

void add_totals(const upstream::LiveRecord& live, std::string& text) {
  std::uint64_t failures = 0;
  for (const auto& count : live.failures) failures += count.load(std::memory_order_relaxed);
  JsonRow totals{text};
  totals.number("connections", live.connections.load(std::memory_order_relaxed));
  totals.number("failures", failures);
  totals.number("ejections", live.ejections.load(std::memory_order_relaxed));
}

// One endpoint of a snapshot, which may be gone before the row is written; its record is not.
struct Row {
  upstream::Cluster::Endpoint endpoint;
  upstream::Standing standing;
};

void add_endpoint(const Row& of, base::Instant now, const WallClock& clock, std::string& text) {
  const upstream::LiveRecord& live = *of.endpoint.live;
  JsonRow row{text};
  row.word("identity", live.identity);
  row.word("address", live.address.to_string());
  // As the last layout knows it, which is what connections meet.
  row.word("state", upstream::state_names[live.control.shown]);
  row.word("why", upstream::why_of(live));
  row.word("since", format_time(clock.at(live.control.since)));
  row.word("health", upstream::health_names[live.control.health]);
  row.word("takes", upstream::standing_names[of.standing]);
  row.number("weight", std::uint64_t{of.endpoint.weight});
  row.number("ramp", upstream::ramp_at(live, now));
  row.number("priority", std::uint64_t{of.endpoint.priority});
  row.number("active", std::uint64_t{live.active.load(std::memory_order_relaxed)});
  row.number("max_connections", std::uint64_t{of.endpoint.max_connections});
  add_totals(live, row.text_of("totals"));
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

void add_upstream(base::PagePieces& pieces, const upstream::Upstream& upstream, base::Instant now,
                  const WallClock& clock) {
  const upstream::Cluster& cluster = upstream.cluster();
  std::vector<Row> rows;
  rows.reserve(cluster.endpoints().size());
  for (std::size_t i = 0; i < cluster.endpoints().size(); ++i)
    rows.push_back({cluster.endpoints()[i], cluster.layout().standing[i]});
  add_text(pieces, head_of(upstream));
  const std::size_t count = rows.size();
  const auto shared = std::make_shared<const std::vector<Row>>(std::move(rows));
  add_rows(pieces, count, [shared, now, &clock](std::string& page, std::size_t i) {
    add_endpoint((*shared)[i], now, clock, page);
  });
  add_text(pieces, "]}");
}

}  // namespace

base::PagePieces upstreams_pieces(const upstream::Registry& registry, base::Instant now,
                                  const WallClock& clock) {
  base::PagePieces pieces;
  add_text(pieces, "{\"upstreams\":[");
  const char* separator = "";
  for (const auto& upstream : registry.upstreams()) {
    add_text(pieces, std::exchange(separator, ","));
    add_upstream(pieces, *upstream, now, clock);
  }
  add_text(pieces, "]}\n");
  return pieces;
}

}  // namespace penstock::report

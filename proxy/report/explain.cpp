#include "report/explain.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <utility>

#include "base/limits.hpp"
#include "base/words.hpp"
#include "os/clock.hpp"
#include "report/json_pieces.hpp"
#include "session/options.hpp"
#include "upstream/endpoint_life.hpp"
#include "upstream/explain.hpp"
#include "upstream/hash.hpp"
#include "upstream/registry.hpp"
#include "upstream/source_text.hpp"

namespace penstock::report {

namespace {

namespace json = boost::json;
using upstream::Standing;

// One endpoint of a snapshot, which may be gone before the row is written; its record is not.
struct Row {
  upstream::Cluster::Endpoint endpoint;
  Standing standing;
  bool panics;
  double share;
};

std::string because(const Row& row) {
  const auto& endpoint = row.endpoint;
  const std::uint32_t active = endpoint.live->active.load(std::memory_order_relaxed);
  switch (row.standing) {
    case Standing::takes:
      if (endpoint.max_connections > 0 && active >= endpoint.max_connections)
        return fmt::format("full: {} of {} connections", active, endpoint.max_connections);
      return row.panics ? "takes new connections: so few are healthy that health is "
                          "ignored (panic_threshold)"
                        : "takes new connections";
    case Standing::takes_retries:
      if (endpoint.live->control.health == upstream::Health::unknown)
        return "not checked yet: used while no endpoint is known to be up";
      return fmt::format("priority {}: used when those of a lower number fail", endpoint.priority);
    case Standing::weightless: return "weight 0: no new connections";
    case Standing::draining:
    case Standing::disabled:
    case Standing::down:
    case Standing::ejected:
    case Standing::cut_off: break;
  }
  return upstream::why_of(*endpoint.live);
}

void add_endpoint(const Row& of, std::string& page) {
  const upstream::LiveRecord& live = *of.endpoint.live;
  JsonRow row{page};
  row.word("identity", live.identity);
  row.word("address", live.address.to_string());
  row.word("state", upstream::state_names[live.control.shown]);
  row.number("weight", std::uint64_t{of.endpoint.weight});
  row.number("priority", std::uint64_t{of.endpoint.priority});
  row.number("active", std::uint64_t{live.active.load(std::memory_order_relaxed)});
  row.number("share", of.share);
  row.word("why", because(of));
}

json::array sources_json(const upstream::Upstream& upstream) {
  json::array sources;
  for (const auto& source : upstream.spec().sources)
    if (!std::holds_alternative<upstream::EndpointSpec>(source))
      sources.emplace_back(upstream::source_text(source));
  return sources;
}

std::string outcome_text(const upstream::Upstream& upstream, upstream::Pick::Outcome outcome) {
  const auto& spec = upstream.spec();
  switch (outcome) {
    case upstream::Pick::Outcome::picked: return "picked";
    case upstream::Pick::Outcome::full:
      return spec.queue.size == 0 ? "no free place and no queue: reset (queue_full)"
                                  : "no free place: waits in the queue";
    case upstream::Pick::Outcome::nobody: break;
  }
  return "no endpoint takes connections: reset (no_endpoint)";
}

base::SentenceOr<os::IpEndpoint> parse_client(const std::string& text) {
  const bool has_port = text.find(':') != std::string::npos &&
                        (text.front() == '[' || text.find(':') == text.rfind(':'));
  const bool is_bare_v6 = !has_port && text.find(':') != std::string::npos;
  const std::string with_port = has_port ? text : is_bare_v6 ? '[' + text + "]:1" : text + ":1";
  const auto address = os::parse_socket_address(with_port);
  if (!address || address->is_unix())
    return "expected a source as IP or IP:PORT (the zone of an address is a number here), not " +
           base::in_quotes(text);
  return address->ip();
}

// What is worked out by the first piece, for all others.
struct Answer {
  std::string listener;
  std::string source;
  const upstream::Upstream& upstream;  // there as long as the proxy runs
  std::optional<os::IpEndpoint> client;
  std::vector<Row> rows{};
};

void begin(Answer& answer, std::string& page) {
  const upstream::Upstream& upstream = answer.upstream;
  const upstream::Cluster& cluster = upstream.cluster();
  std::optional<std::uint64_t> key;
  if (answer.client) key = upstream::hash_of(*answer.client, upstream.spec().hash_key);
  const auto explanation = upstream::explain(upstream, key, os::now());
  answer.rows.reserve(cluster.endpoints().size());
  for (std::size_t i = 0; i < cluster.endpoints().size(); ++i)
    answer.rows.push_back({.endpoint = cluster.endpoints()[i],
                           .standing = cluster.layout().standing[i],
                           .panics = cluster.layout().panics,
                           .share = explanation.shares[i]});
  json::object head{{"listener", answer.listener},
                    {"source", answer.source},
                    {"rule", "the listener's upstream"},
                    {"upstream", upstream.name()},
                    {"balance", upstream::balance_names[cluster.balance()]},
                    {"sources", sources_json(upstream)},
                    {"outcome", outcome_text(upstream, explanation.next.outcome)}};
  const bool depends_on_client = cluster.uses_hash() && !answer.client;
  if (explanation.next.outcome == upstream::Pick::Outcome::picked && !depends_on_client)
    head["next"] = cluster.endpoint(explanation.next.index).live->identity;
  page += json::serialize(head);
  page.back() = ',';
  page += "\"endpoints\":[";
}

// How many endpoints there will be is not known before the first piece is written.
base::PagePieces pieces_of(Answer asked) {
  const auto answer = std::make_shared<Answer>(std::move(asked));
  base::PagePieces pieces{[answer](std::string& page) { begin(*answer, page); }};
  for (std::size_t first = 0; first < base::endpoints_max; first += base::rows_per_piece)
    pieces.push_back([answer, first](std::string& page) {
      for (std::size_t i = first; i < std::min(first + base::rows_per_piece, answer->rows.size());
           ++i) {
        if (i > 0) page += ',';
        add_endpoint(answer->rows[i], page);
      }
    });
  add_text(pieces, "]}\n");
  return pieces;
}

std::string no_such_listener(const std::string& name,
                             const std::vector<const session::ListenerOptions*>& listeners) {
  std::vector<std::string> names;
  for (const auto* listener : listeners) names.push_back(listener->name);
  if (name.empty()) return "say which listener: " + fmt::format("{}", fmt::join(names, ", "));
  return "there is no listener " + base::in_quotes(name) + base::suggestion(name, names);
}

}  // namespace

base::SentenceOr<base::PagePieces> explain_json(
    const std::string& listener, const std::string& source,
    const std::vector<const session::ListenerOptions*>& listeners,
    const upstream::Registry& registry) {
  const auto found = std::find_if(listeners.begin(), listeners.end(),
                                  [&](const auto* one) { return one->name == listener; });
  if (found == listeners.end()) return no_such_listener(listener, listeners);
  std::optional<os::IpEndpoint> client;
  if (!source.empty()) {
    const auto parsed = parse_client(source);
    if (!parsed) return parsed.error();
    client = *parsed;
  }
  if ((*found)->files) {
    base::PagePieces pieces;
    add_text(pieces, json::serialize(json::object{{"listener", listener},
                                                  {"source", source},
                                                  {"rule", "the listener serves files"},
                                                  {"endpoints", json::array{}}}) +
                         '\n');
    return pieces;
  }
  return pieces_of({.listener = listener,
                    .source = source,
                    .upstream = *registry.find((*found)->upstream),
                    .client = client});
}

}  // namespace penstock::report

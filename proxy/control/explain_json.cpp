#include "control/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "control/config_words.hpp"
#include "session/options.hpp"
#include "upstream/endpoint_life.hpp"
#include "upstream/explain.hpp"
#include "upstream/hash.hpp"
#include "upstream/registry.hpp"

namespace penstock::control {

namespace {

namespace json = boost::json;
using upstream::Standing;

std::string because(const upstream::Cluster& cluster, std::size_t index) {
  const auto& endpoint = cluster.endpoints()[index];
  const std::uint32_t active = endpoint.live->active.load(std::memory_order_relaxed);
  switch (cluster.layout().standing[index]) {
    case Standing::takes:
      if (endpoint.max_connections > 0 && active >= endpoint.max_connections)
        return fmt::format("full: {} of {} connections", active, endpoint.max_connections);
      return cluster.layout().panics ? "takes new connections: so few are healthy that health is "
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

json::array endpoints_json(const upstream::Cluster& cluster, const std::vector<double>& shares) {
  json::array endpoints;
  for (std::size_t i = 0; i < cluster.endpoints().size(); ++i) {
    const auto& endpoint = cluster.endpoints()[i];
    endpoints.push_back({{"identity", endpoint.live->identity},
                         {"address", endpoint.live->address.to_string()},
                         {"state", upstream::state_names[endpoint.live->control.shown]},
                         {"weight", endpoint.weight},
                         {"priority", endpoint.priority},
                         {"active", endpoint.live->active.load(std::memory_order_relaxed)},
                         {"share", shares[i]},
                         {"why", because(cluster, i)}});
  }
  return endpoints;
}

json::array sources_json(const upstream::Upstream& upstream) {
  json::array sources;
  for (const auto& source : upstream.spec().sources) {
    if (const auto* file = std::get_if<upstream::FileSource>(&source))
      sources.emplace_back(fmt::format("file {}", file->path));
    const auto* dns = std::get_if<upstream::DnsSource>(&source);
    if (dns == nullptr) continue;
    const std::string port = dns->port == 0 ? std::string{} : fmt::format(":{}", dns->port);
    sources.emplace_back(
        fmt::format("dns {}{}, type {}", dns->name, port, upstream::dns_type_names[dns->type]));
  }
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

boost::system::result<os::IpEndpoint, std::string> parse_client(const std::string& text) {
  const bool has_port = text.find(':') != std::string::npos &&
                        (text.front() == '[' || text.find(':') == text.rfind(':'));
  const bool is_bare_v6 = !has_port && text.find(':') != std::string::npos;
  const std::string with_port = has_port ? text : is_bare_v6 ? '[' + text + "]:1" : text + ":1";
  const auto address = os::parse_socket_address(with_port);
  if (!address || address->is_unix())
    return "expected a source as IP or IP:PORT (the zone of an address is a number here), not " +
           in_quotes(text);
  return address->ip();
}

json::object upstream_json(const ExplainQuestion& question, const upstream::Upstream& upstream,
                           const std::optional<os::IpEndpoint>& client, base::Instant now) {
  const upstream::Cluster& cluster = upstream.cluster();
  std::optional<std::uint64_t> key;
  if (client) key = upstream::hash_of(*client, upstream.spec().hash_key);
  const auto explanation = upstream::explain(upstream, key, now);
  json::object answer{{"listener", question.listener},
                      {"source", question.source},
                      {"rule", "the listener's upstream"},
                      {"upstream", upstream.name()},
                      {"balance", upstream::balance_names[cluster.balance()]},
                      {"sources", sources_json(upstream)},
                      {"outcome", outcome_text(upstream, explanation.next.outcome)},
                      {"endpoints", endpoints_json(cluster, explanation.shares)}};
  const bool depends_on_client = cluster.uses_hash() && !client;
  if (explanation.next.outcome == upstream::Pick::Outcome::picked && !depends_on_client)
    answer["next"] = cluster.endpoint(explanation.next.index).live->identity;
  return answer;
}

std::string no_such_listener(const std::string& name,
                             const std::vector<const session::ListenerOptions*>& listeners) {
  std::vector<std::string> names;
  for (const auto* listener : listeners) names.push_back(listener->name);
  if (name.empty()) return "say which listener: " + fmt::format("{}", fmt::join(names, ", "));
  return "there is no listener " + in_quotes(name) + suggestion(name, names);
}

}  // namespace

Explained explain_json(const ExplainQuestion& question,
                       const std::vector<const session::ListenerOptions*>& listeners,
                       const upstream::Registry& registry, base::Instant now) {
  const auto found = std::find_if(listeners.begin(), listeners.end(),
                                  [&](const auto* one) { return one->name == question.listener; });
  if (found == listeners.end()) return no_such_listener(question.listener, listeners);
  std::optional<os::IpEndpoint> client;
  if (!question.source.empty()) {
    const auto parsed = parse_client(question.source);
    if (!parsed) return parsed.error();
    client = *parsed;
  }
  if ((*found)->files)
    return json::object{{"listener", question.listener},
                        {"source", question.source},
                        {"rule", "the listener serves files"},
                        {"endpoints", json::array{}}};
  return upstream_json(question, *registry.find((*found)->upstream), client, now);
}

}  // namespace penstock::control

#include <algorithm>
#include <map>

#include "change/parts.hpp"
#include "upstream/source_text.hpp"

namespace penstock::change {

namespace {

using upstream::ClusterSpec;
using upstream::DnsSource;
using upstream::EndpointSource;
using upstream::EndpointSpec;

// `source_address` is a key of the upstream, and stands where something connects.
bool connects_alike(upstream::ConnectOptions before, const upstream::ConnectOptions& after) {
  before.source = after.source;
  return before == after;
}
bool checks_alike(std::optional<upstream::HealthSpec> before,
                  const std::optional<upstream::HealthSpec>& after) {
  if (before && after) before->source = after->source;
  return before == after;
}

Keys differing_keys(const ClusterSpec& before, const ClusterSpec& after) {
  Keys keys;
  Differing{before, after, keys}
      .at("balance", &ClusterSpec::balance)
      .at("hash_key", &ClusterSpec::hash_key)
      .at("outlier", &ClusterSpec::outlier)
      .at("panic_threshold", &ClusterSpec::panic_threshold)
      .at("max_connections", &ClusterSpec::max_connections)
      .at("queue", &ClusterSpec::queue)
      .at("slow_start", &ClusterSpec::slow_start)
      .at("on_down", &ClusterSpec::on_down)
      .at("on_remove", &ClusterSpec::on_remove);
  if (!connects_alike(before.connect, after.connect)) keys.emplace_back("connect");
  if (!checks_alike(before.health_check, after.health_check)) keys.emplace_back("health_check");
  Differing{before.connect, after.connect, keys}.at("source_address",
                                                    &upstream::ConnectOptions::source);
  return keys;
}

// Both are of one kind and identity.
Keys differing_keys(const EndpointSource& before, const EndpointSource& after) {
  Keys keys;
  if (const auto* endpoint = std::get_if<EndpointSpec>(&before))
    Differing{*endpoint, std::get<EndpointSpec>(after), keys}
        .at("address", &EndpointSpec::address)
        .at("weight", &EndpointSpec::weight)
        .at("priority", &EndpointSpec::priority)
        .at("max_connections", &EndpointSpec::max_connections);
  if (const auto* dns = std::get_if<DnsSource>(&before))
    Differing{*dns, std::get<DnsSource>(after), keys}
        .at("family", &DnsSource::family)
        .at("refresh", &DnsSource::refresh)
        .at("gone_after", &DnsSource::gone_after)
        .at("nx_hold", &DnsSource::nx_hold)
        .at("forget_after", &DnsSource::forget_after)
        .at("weight", &DnsSource::weight)
        .at("priority", &DnsSource::priority)
        .at("max_connections", &DnsSource::max_connections);
  return keys;
}

// The entries of one list in those of another. A name may stand in a list more than once, with
// other keys: what is the same goes together first.
class Pairing {
 public:
  Pairing(const std::vector<EndpointSource>& running, const std::vector<EndpointSource>& next)
      : running_{running}, next_{next}, partner_(next.size(), nobody), is_taken_(running.size()) {
    for (std::size_t i = 0; i < running.size(); ++i) waiting_.emplace(identity_of(running[i]), i);
    pair([](const EndpointSource& one, const EndpointSource& other) { return one == other; });
    pair([](const EndpointSource&, const EndpointSource&) { return true; });
  }

  std::vector<EndpointChange> changes() const {
    std::vector<EndpointChange> result;
    for (std::size_t i = 0; i < next_.size(); ++i) {
      if (partner_[i] == nobody) {
        result.push_back({.identity = upstream::source_text(next_[i]), .fate = Fate::added});
        continue;
      }
      Keys keys = differing_keys(running_[partner_[i]], next_[i]);
      if (keys.empty()) continue;
      result.push_back({upstream::source_text(next_[i]), Fate::changed, std::move(keys)});
    }
    for (std::size_t i = 0; i < running_.size(); ++i)
      if (!is_taken_[i])
        result.push_back({.identity = upstream::source_text(running_[i]), .fate = Fate::removed});
    return result;
  }

  // Those that stay follow each other as before.
  bool keeps_order() const {
    std::vector<std::size_t> places;
    for (const std::size_t partner : partner_)
      if (partner != nobody) places.push_back(partner);
    return std::is_sorted(places.begin(), places.end());
  }

 private:
  using Identity = std::pair<std::size_t, std::string>;  // of which kind, and which
  static constexpr std::size_t nobody = SIZE_MAX;

  static Identity identity_of(const EndpointSource& source) {
    return {source.index(), upstream::source_text(source)};
  }

  template <typename Alike>
  void pair(const Alike& alike) {
    for (std::size_t i = 0; i < next_.size(); ++i) {
      if (partner_[i] != nobody) continue;
      const auto [first, last] = waiting_.equal_range(identity_of(next_[i]));
      for (auto entry = first; entry != last; ++entry) {
        if (!alike(running_[entry->second], next_[i])) continue;
        partner_[i] = entry->second;
        is_taken_[entry->second] = true;
        waiting_.erase(entry);
        break;
      }
    }
  }

  const std::vector<EndpointSource>& running_;
  const std::vector<EndpointSource>& next_;
  std::vector<std::size_t> partner_;  // by entry of `next_`
  std::vector<bool> is_taken_;
  std::multimap<Identity, std::size_t> waiting_;
};

UpstreamChange change_between(const ClusterSpec& running, const ClusterSpec& next) {
  UpstreamChange change{.name = next.name, .keys = differing_keys(running, next)};
  const Pairing endpoints{running.sources, next.sources};
  change.endpoints = endpoints.changes();
  if (!endpoints.keeps_order()) change.keys.emplace_back("order of endpoints");
  if (!change.keys.empty() || !change.endpoints.empty()) change.fate = Fate::changed;
  return change;
}

std::map<std::string, const ClusterSpec*> by_name(const std::vector<ClusterSpec>& upstreams) {
  std::map<std::string, const ClusterSpec*> result;
  for (const ClusterSpec& upstream : upstreams) result.emplace(upstream.name, &upstream);
  return result;
}

}  // namespace

std::vector<UpstreamChange> changed_upstreams(const std::vector<ClusterSpec>& running,
                                              const std::vector<ClusterSpec>& next) {
  std::vector<UpstreamChange> result;
  const auto before = by_name(running);
  for (const ClusterSpec& upstream : next) {
    const auto found = before.find(upstream.name);
    result.push_back(found == before.end()
                         ? UpstreamChange{.name = upstream.name, .fate = Fate::added}
                         : change_between(*found->second, upstream));
  }
  const auto after = by_name(next);
  for (const ClusterSpec& upstream : running)
    if (!after.contains(upstream.name))
      result.push_back({.name = upstream.name, .fate = Fate::removed});
  return result;
}

}  // namespace penstock::change

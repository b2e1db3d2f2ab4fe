#include "upstream/registry.hpp"

#include <algorithm>
#include <set>

#include "upstream/endpoint_life.hpp"

namespace penstock::upstream {

namespace {

constexpr base::Duration vanished_kept = std::chrono::hours{1};
constexpr base::Duration pointed_at_max = std::chrono::seconds{10};

using Endpoints = std::vector<Cluster::Endpoint>;

std::vector<Candidate> candidates_of(const Endpoints& endpoints, base::Instant now) {
  std::vector<Candidate> candidates;
  for (const Cluster::Endpoint& endpoint : endpoints) {
    const LiveRecord& live = *endpoint.live;
    candidates.push_back({.weight = endpoint.weight,
                          .priority = endpoint.priority,
                          .health = live.control.health,
                          .said = live.control.said,
                          .is_ejected = live.is_ejected(),
                          .is_cut_off = live.is_cut_off(now),
                          .ramp = ramp_at(live, now)});
  }
  return candidates;
}

// What is asked of a record, without a snapshot.
void tell_records(const Endpoints& endpoints, const Layout& layout) noexcept {
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    LiveRecord& live = *endpoints[i].live;
    live.max_connections.store(endpoints[i].max_connections, std::memory_order_relaxed);
    live.is_first_choice.store(layout.tier_of[i] == 0 && live.state() == State::up,
                               std::memory_order_relaxed);
  }
}

std::vector<LiveRecord*> only_in(const Endpoints& endpoints, const Endpoints& others) {
  std::set<const LiveRecord*> known;
  for (const Cluster::Endpoint& other : others) known.insert(other.live);
  std::vector<LiveRecord*> result;
  for (const Cluster::Endpoint& endpoint : endpoints)
    if (!known.contains(endpoint.live)) result.push_back(endpoint.live);
  return result;
}

}  // namespace

Registry::Registry(const std::vector<ClusterSpec>& specs, base::Instant now) {
  for (const ClusterSpec& spec : specs) {
    upstreams_.push_back(std::make_unique<Upstream>(spec, upstreams_.size(), stale_));
    by_name_.emplace(upstreams_.back()->name(), upstreams_.back().get());
    laid_out_.emplace_back();
    publish(*upstreams_.back(), {}, make_slot_tables(spec.balance, {}), now);
    replace_endpoints(*upstreams_.back(), spec.endpoints, now);
  }
  retired_.clear();  // nobody looks yet
  look_at_host();
}

Upstream* Registry::find(const std::string& name) const noexcept {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

LiveRecord& Registry::record_for(const std::string& upstream, const EndpointSpec& endpoint) {
  LiveRecord*& known = by_identity_[{upstream, endpoint.identity, endpoint.address}];
  if (known == nullptr)
    known = &records_.emplace_back(++last_number_, upstream, endpoint.identity, endpoint.address);
  return *known;
}

Registry::Change Registry::replace_endpoints(Upstream& upstream,
                                             const std::vector<EndpointSpec>& specs,
                                             base::Instant now, const Left& left,
                                             std::shared_ptr<const SlotTables> slots) {
  const Cluster& before = upstream.cluster();
  Endpoints endpoints;
  for (const EndpointSpec& spec : specs)
    endpoints.push_back({.live = &record_for(upstream.name(), spec),
                         .weight = spec.weight,
                         .priority = spec.priority,
                         .max_connections = spec.max_connections});
  if (endpoints == before.endpoints()) return {};
  Change change{.added = only_in(endpoints, before.endpoints()),
                .removed = {},
                .left = {},
                .is_change = true};
  const bool eases_in = !before.endpoints().empty();
  for (LiveRecord* endpoint : change.added) {
    enter(*endpoint, upstream.spec(), eases_in, now);
    vanished_.erase(endpoint->number);
  }
  for (LiveRecord* endpoint : only_in(before.endpoints(), endpoints)) {
    const auto until = left.find(endpoint->address);
    const bool stays = until != left.end() && until->second > now;
    vanish(upstream, *endpoint, now, stays ? until->second : base::never);
    vanished_.emplace(endpoint->number, endpoint);
    (stays ? change.left : change.removed).push_back(endpoint);
  }
  if (slots == nullptr) slots = make_slot_tables(upstream.spec().balance, specs);
  publish(upstream, std::move(endpoints), std::move(slots), now);
  return change;
}

void Registry::publish(Upstream& upstream, Endpoints endpoints,
                       std::shared_ptr<const SlotTables> slots, base::Instant now) {
  std::vector<Candidate>& candidates = laid_out_[upstream.index()];
  candidates = candidates_of(endpoints, now);
  Layout layout = lay_out(candidates, upstream.spec().panic_threshold);
  tell_records(endpoints, layout);
  auto next = std::make_unique<const Cluster>(upstream.spec(), std::move(endpoints),
                                              std::move(layout), std::move(slots));
  if (auto before = upstream.publish(std::move(next)))
    retired_.push_back({.cluster = std::move(before), .free_after = next_ping_});
}

bool Registry::set_health(LiveRecord& endpoint, Health health, std::string why, base::Instant now) {
  const Upstream* upstream = find(endpoint.upstream);
  return judge(endpoint, upstream->spec(), health, std::move(why), now);
}

bool Registry::set_override(LiveRecord& endpoint, Override said, base::Instant now) {
  return command(endpoint, find(endpoint.upstream)->spec(), said, now);
}

Registry::Refreshed Registry::refresh(base::Instant now) {
  Refreshed refreshed;
  stale_.store(false, std::memory_order_seq_cst);  // before the look, not after
  for (const auto& [number, record] : vanished_) {
    find(record->upstream)->end_ejection(*record);
    const base::Instant forget_at = record->control.forget_at;
    if (forget_at > now) {
      refreshed.next = std::min(refreshed.next, forget_at);
      continue;
    }
    forget(*record);
    refreshed.forgotten.push_back(record);
  }
  // Forwarders are told of them, so that their records stay until a later ping was answered.
  if (!refreshed.forgotten.empty())
    retired_.push_back({.cluster = nullptr, .free_after = next_ping_});
  for (const auto& upstream : upstreams_) {
    if (upstream->take_doubt()) refreshed.doubted.push_back(upstream.get());
    const Cluster& cluster = upstream->cluster();
    for (const Cluster::Endpoint& endpoint : cluster.endpoints()) {
      refreshed.next = std::min(refreshed.next, age(*upstream, *endpoint.live, now));
      LiveRecord::Control& control = endpoint.live->control;
      const std::uint8_t fault = endpoint.live->host_fault.load(std::memory_order_relaxed);
      if (std::exchange(control.told_host_fault, fault) != fault)
        refreshed.reach_changed.push_back(endpoint.live);
      if (endpoint.live->speaks_first.load(std::memory_order_relaxed) &&
          !std::exchange(control.told_speaks_first, true))
        refreshed.speaks_first.push_back(endpoint.live);
      const State state = endpoint.live->state();
      if (control.shown == state) continue;
      control.shown = state;
      control.since = now;
      refreshed.changed.push_back(endpoint.live);
    }
    if (candidates_of(cluster.endpoints(), now) != laid_out_[upstream->index()])
      publish(*upstream, cluster.endpoints(), cluster.slots(), now);
  }
  return refreshed;
}

void Registry::set_bell(QueueBell& bell) noexcept {
  for (const auto& upstream : upstreams_) upstream->queue().set_bell(bell);
}

void Registry::look_at_host() {
  const os::LocalPorts ports = os::local_ports();
  for (const auto& upstream : upstreams_) upstream->set_local_ports(ports);
}

void Registry::reclaim(std::uint64_t next_ping, std::uint64_t answered, base::Instant now) {
  next_ping_ = next_ping;
  for (const auto& [number, record] : vanished_)
    if (record->active.load(std::memory_order_acquire) > 0) record->control.held = now;
  std::erase_if(retired_, [&](const Retired& one) { return answered >= one.free_after; });
  if (retired_.empty()) forget_the_vanished(now);
}

// Those that may go, the oldest first; as many of them go as are over the limit, or too old.
void Registry::forget_the_vanished(base::Instant now) {
  std::vector<const LiveRecord*> idle;
  for (const auto& [number, record] : vanished_)
    if (now - std::max(record->control.vanished, record->control.held) >= pointed_at_max &&
        record->active.load(std::memory_order_acquire) == 0)
      idle.push_back(record);
  std::stable_sort(idle.begin(), idle.end(), [](const LiveRecord* one, const LiveRecord* other) {
    return one->control.vanished < other->control.vanished;
  });
  const std::size_t too_many = idle.size() - std::min(idle.size(), vanished_max);
  std::set<const LiveRecord*> gone;
  for (std::size_t i = 0; i < idle.size(); ++i) {
    const LiveRecord::Control& control = idle[i]->control;
    const bool is_old =
        control.forget_at == base::never &&
        (control.since == base::Instant{} || now - control.vanished >= vanished_kept);
    if (i < too_many || is_old) gone.insert(idle[i]);
  }
  if (gone.empty()) return;
  std::erase_if(by_identity_, [&](const auto& known) { return gone.contains(known.second); });
  std::erase_if(vanished_, [&](const auto& known) { return gone.contains(known.second); });
  records_.remove_if([&](const LiveRecord& record) { return gone.contains(&record); });
}

std::vector<std::vector<const LiveRecord*>> Registry::leaving() const {
  std::vector<std::vector<const LiveRecord*>> result(upstreams_.size());
  for (const auto& [number, record] : vanished_)
    if (record->active.load(std::memory_order_relaxed) > 0)
      result[find(record->upstream)->index()].push_back(record);
  return result;
}

}  // namespace penstock::upstream

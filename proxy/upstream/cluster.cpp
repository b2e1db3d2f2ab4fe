#include "upstream/cluster.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "upstream/hash.hpp"

namespace penstock::upstream {

// What one walk looks for, and what it met on the way.
struct Cluster::Search {
  const Cluster& cluster;
  const Question& question;
  const Tried& tried;
  Wanted wanted;
  bool met_full = false;
  std::uint32_t looks = 0;

  bool admits(std::uint16_t index) noexcept {
    ++looks;
    const Endpoint& endpoint = cluster.endpoints_[index];
    const bool is_cut_off = endpoint.live->is_cut_off(question.now);
    if (is_cut_off != (wanted == Wanted::cut_off)) return false;
    if (tried.has(*endpoint.live) != (wanted == Wanted::tried)) return false;
    // Ejected a moment ago: the layout does not know it yet.
    if (endpoint.live->is_ejected() && !cluster.layout_.panics) return false;
    const std::uint32_t active = endpoint.live->active.load(std::memory_order_seq_cst);
    const bool has_place = endpoint.max_connections == 0 || active < endpoint.max_connections;
    met_full = met_full || !has_place;
    return has_place;
  }
};

Cluster::Cluster(const ClusterSpec& spec, std::vector<Endpoint> endpoints, Layout layout,
                 std::shared_ptr<const SlotTables> slots)
    : balance_{spec.balance},
      endpoints_{std::move(endpoints)},
      layout_{std::move(layout)},
      slots_{std::move(slots)} {
  PENSTOCK_ASSERT(endpoints_.size() <= base::endpoints_max);
  if (!uses_hash()) return;
  for (const Tier& tier : layout_.tiers)
    for (const auto& [priority, table] : *slots_)
      if (priority == tier.priority) slots_of_tier_.push_back(&table);
  PENSTOCK_ASSERT(slots_of_tier_.size() == layout_.tiers.size());
}

Pick Cluster::pick(const Question& question, const Tried& tried) const noexcept {
  Search search{*this, question, tried, Wanted::untried};
  Pick pick = pick_by(search);
  pick.looks = search.looks;
  return pick;
}

Pick Cluster::pick_by(Search& search) const noexcept {
  const Tried& tried = search.tried;
  for (std::size_t tier = 0; tier < layout_.tiers.size(); ++tier) {
    if (const auto index = pick_in(tier, search); index != none)
      return {Pick::Outcome::picked, index};
    if (search.met_full && !tried.failed()) return {Pick::Outcome::full};
  }
  search.wanted = Wanted::tried;
  if (const auto index = tried.failed() ? pick_in_any(search) : none; index != none)
    return {Pick::Outcome::picked, index};
  if (search.met_full) return {Pick::Outcome::full};
  search.wanted = Wanted::cut_off;
  if (const auto index = tried.has_room_without_attempt() ? pick_in_any(search) : none;
      index != none)
    return {Pick::Outcome::picked, index};
  return {search.met_full ? Pick::Outcome::full : Pick::Outcome::nobody};
}

std::uint16_t Cluster::pick_in_any(Search& search) const noexcept {
  for (std::size_t tier = 0; tier < layout_.tiers.size(); ++tier)
    if (const auto index = pick_in(tier, search); index != none) return index;
  return none;
}

std::uint16_t Cluster::pick_in(std::size_t number, Search& search) const noexcept {
  const Tier& tier = layout_.tiers[number];
  switch (balance_) {
    case Balance::round_robin: return next_in_turn(tier, search);
    case Balance::least_connections: return least_loaded(tier, search);
    case Balance::random_two:
    case Balance::peak_ewma: return better_of_two(tier, search);
    case Balance::source_hash:
    case Balance::maglev: return by_hash(number, search);
    case Balance::first: return first_free(tier, search);
  }
  return none;
}

std::uint16_t Cluster::next_in_turn(const Tier& tier, Search& search) const noexcept {
  for (std::size_t step = 0; step < tier.order.size(); ++step) {
    const std::uint16_t index = tier.order[(search.question.turn + step) % tier.order.size()];
    if (search.admits(index)) return index;
  }
  return none;
}

// The walk starts at another endpoint each time and ties go to the first one met, so equal
// endpoints are taken in turn. Of very many it sees a part, each time in another place: the least
// of a thousand is as good as the least of all, at a cost that does not grow.
std::uint16_t Cluster::least_loaded(const Tier& tier, Search& search) const noexcept {
  constexpr std::uint64_t stride = 2'654'435'761;  // a prime, so that every place is met once
  const std::vector<std::uint16_t>& line = line_of(tier);
  const bool sees_all = line.size() <= looks_at_once;
  std::uint16_t best = none;
  std::uint64_t best_load = 0;
  std::size_t place = search.question.turn * (sees_all ? 1 : stride) % line.size();
  for (std::size_t step = 0; step < std::min(line.size(), looks_at_once); ++step) {
    const std::uint16_t index = line[place];
    if (++place == line.size()) place = 0;
    if (!search.admits(index)) continue;
    const std::uint64_t load = endpoints_[index].live->load();
    if (load == 0) return index;  // nobody has less, and of equals the first one met wins
    // load / weight < best_load / best_weight, without a division.
    if (best == none || load * layout_.weight[best] < best_load * layout_.weight[index]) {
      best = index;
      best_load = load;
    }
  }
  // Where all of those are full, whoever is not: each once, however often the turns name it.
  return best != none || sees_all ? best : first_free(tier, search);
}

std::uint16_t Cluster::first_free(const Tier& tier, Search& search) const noexcept {
  for (const std::uint16_t index : tier.members)
    if (search.admits(index)) return index;
  return none;
}

// Two different ones drawn by weight, and the better of them: nearly as even as the best of all, at
// a fixed cost, and a stale number misleads few (Mitzenmacher, "The Power of Two Choices in
// Randomized Load Balancing", 2001).
std::uint16_t Cluster::better_of_two(const Tier& tier, Search& search) const noexcept {
  constexpr std::uint64_t draws_max = 16;
  const std::uint16_t one = drawn(tier, 0, search);
  if (one == none || tier.members.size() == 1) return one;
  // Where one has nearly all the weight, draws may find nobody else: then the next one in the
  // order.
  std::size_t place = 0;
  for (std::uint64_t number = 1; number < draws_max + tier.order.size(); ++number) {
    place = number < draws_max ? mixed_again(search.question.turn, number) : place + 1;
    const std::uint16_t other = tier.order[place % tier.order.size()];
    if (!search.admits(other) || other == one) continue;
    return is_better(other, one, search.question.now) ? other : one;
  }
  return one;
}

// By weight; where that one has no place, the next one that has.
std::uint16_t Cluster::drawn(const Tier& tier, std::uint64_t number,
                             Search& search) const noexcept {
  const std::uint64_t start = mixed_again(search.question.turn, number);
  for (std::size_t step = 0; step < tier.order.size(); ++step) {
    const std::uint16_t index = tier.order[(start + step) % tier.order.size()];
    if (search.admits(index)) return index;
  }
  return none;
}

bool Cluster::is_better(std::uint16_t one, std::uint16_t other, base::Instant now) const noexcept {
  if (balance_ == Balance::peak_ewma) return latency_cost(one, now) < latency_cost(other, now);
  const std::uint64_t load_of_one = endpoints_[one].live->load();
  const std::uint64_t load_of_other = endpoints_[other].live->load();
  return load_of_one * layout_.weight[other] < load_of_other * layout_.weight[one];
}

// What a new connection there would meet: the latency, times those that share it. An endpoint of
// which nothing is known is tried when it is idle; while its first connection is under way it is
// nobody's choice.
double Cluster::latency_cost(std::uint16_t index, base::Instant now) const noexcept {
  constexpr double unmeasured = 1e15;
  const LiveRecord& live = *endpoints_[index].live;
  const double load = live.load();
  const auto latency = live.latency.at(now);
  if (!latency) return load == 0 ? 0 : unmeasured + load;
  return *latency * (load + 1) / layout_.weight[index];
}

// By the identity, not the index, so that two machines agree.
bool Cluster::is_eased_in(std::uint16_t index, std::uint64_t key) const noexcept {
  const std::uint32_t ramp = layout_.ramp[index];
  if (ramp == Layout::ramp_whole) return true;
  return mixed_again(~key, hash_of(endpoints_[index].live->identity)) % Layout::ramp_whole < ramp;
}

// The slot of the hash; where its endpoint takes none, the slot of another hash of the same key,
// which spreads its clients over all the others. An endpoint in slow start gives that share of its
// clients away that its ramp does not admit, always the same ones first.
std::uint16_t Cluster::by_hash(std::size_t number, Search& search) const noexcept {
  constexpr std::uint64_t probes_max = 32;
  const Slots& slots = *slots_of_tier_[number];
  const std::uint64_t key = search.question.key;
  for (std::uint64_t probe = 0; probe < probes_max; ++probe) {
    const std::uint64_t hash = probe == 0 ? key : mixed_again(key, probe);
    const std::uint16_t index = slots[hash % slots.size()];
    if (layout_.tier_of[index] != number) continue;
    if (is_eased_in(index, key) && search.admits(index)) return index;
  }
  return rendezvous(layout_.tiers[number], search);
}

// Where few of a table's owners are up: the one whose identity and key make the highest lot, which
// again is the same on every machine (Thaler, Ravishankar, "Using Name-Based Mappings to Increase
// Hit Rates", 1998).
std::uint16_t Cluster::rendezvous(const Tier& tier, Search& search) const noexcept {
  std::uint16_t best = none;
  std::uint64_t best_lot = 0;
  search.looks += static_cast<std::uint32_t>(tier.members.size());
  for (const std::uint16_t index : tier.members) {
    const std::uint64_t lot =
        mixed_again(search.question.key, hash_of(endpoints_[index].live->identity));
    if ((best != none && lot <= best_lot) || !search.admits(index)) continue;
    best = index;
    best_lot = lot;
  }
  return best;
}

std::shared_ptr<const SlotTables> make_slot_tables(Balance balance,
                                                   const std::vector<EndpointSpec>& endpoints) {
  auto tables = std::make_shared<SlotTables>();
  if (balance != Balance::source_hash && balance != Balance::maglev) return tables;
  std::vector<std::pair<std::uint8_t, std::vector<SlotOwner>>> by_priority;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const auto same = std::find_if(by_priority.begin(), by_priority.end(), [&](const auto& one) {
      return one.first == endpoints[i].priority;
    });
    auto& owners =
        same != by_priority.end()
            ? same->second
            : by_priority.emplace_back(endpoints[i].priority, std::vector<SlotOwner>{}).second;
    owners.push_back({.identity = endpoints[i].identity,
                      .weight = endpoints[i].weight,
                      .index = static_cast<std::uint16_t>(i)});
  }
  for (auto& [priority, owners] : by_priority)
    tables->emplace_back(priority, balance == Balance::maglev ? maglev_slots(std::move(owners))
                                                              : slots_by_weight(std::move(owners)));
  return tables;
}

bool are_quick_tables(Balance balance, std::size_t endpoints) noexcept {
  return balance != Balance::maglev || is_quick_maglev(endpoints);
}

}  // namespace penstock::upstream

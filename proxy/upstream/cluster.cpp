#include "upstream/cluster.hpp"

#include "base/assert.hpp"
#include "upstream/round_robin.hpp"

namespace penstock::upstream {

Cluster::Cluster(ClusterSpec spec, std::vector<LiveRecord*> live,
                 std::shared_ptr<std::atomic<std::uint64_t>> cursor)
    : spec_{std::move(spec)}, cursor_{std::move(cursor)} {
  PENSTOCK_ASSERT(live.size() == spec_.endpoints.size() && live.size() <= base::endpoints_max);
  std::vector<std::uint32_t> weights;
  for (std::size_t i = 0; i < live.size(); ++i) {
    weights.push_back(spec_.endpoints[i].weight);
    endpoints_.push_back({.live = live[i], .weight = weights.back()});
    if (weights.back() > 0) candidates_.push_back(static_cast<std::uint16_t>(i));
  }
  order_ = smooth_weighted_order(weights);
}

std::uint16_t Cluster::pick(const Tried& tried) const noexcept {
  if (order_.empty()) return none;
  // A connection takes one turn, however many attempts it needs: if attempts took turns as well,
  // then with one of two endpoints down every connection would meet that one first.
  const std::uint64_t turn = tried.count() == 0 ? cursor_->fetch_add(1, std::memory_order_relaxed)
                                                : cursor_->load(std::memory_order_relaxed);
  const auto fresh = pick_among(turn, [&](std::uint16_t index) { return !tried.has(index); });
  if (fresh != none || tried.count() == 0) return fresh;
  return pick_among(turn, [](std::uint16_t) { return true; });
}

template <class Allowed>
std::uint16_t Cluster::pick_among(std::uint64_t turn, Allowed&& allowed) const noexcept {
  switch (spec_.balance) {
    case Balance::round_robin: return next_in_turn(turn, allowed);
    case Balance::least_connections: return least_loaded(turn, allowed);
  }
  return none;
}

template <class Allowed>
std::uint16_t Cluster::next_in_turn(std::uint64_t turn, Allowed&& allowed) const noexcept {
  for (std::size_t step = 0; step < order_.size(); ++step) {
    const std::uint16_t index = order_[(turn + step) % order_.size()];
    if (allowed(index)) return index;
  }
  return none;
}

// The fewest connections per weight. The walk starts at another endpoint each time and ties go to
// the first one met, so equal endpoints are taken in turn.
template <class Allowed>
std::uint16_t Cluster::least_loaded(std::uint64_t turn, Allowed&& allowed) const noexcept {
  std::uint16_t best = none;
  std::uint64_t best_active = 0;
  for (std::size_t step = 0; step < candidates_.size(); ++step) {
    const std::uint16_t index = candidates_[(turn + step) % candidates_.size()];
    if (!allowed(index)) continue;
    const std::uint64_t active = endpoints_[index].live->active.load(std::memory_order_relaxed);
    // active / weight < best_active / best_weight, without a division.
    if (best == none || active * endpoints_[best].weight < best_active * endpoints_[index].weight) {
      best = index;
      best_active = active;
    }
  }
  return best;
}

}  // namespace penstock::upstream

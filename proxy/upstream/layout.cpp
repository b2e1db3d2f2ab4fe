#include "upstream/layout.hpp"

#include <algorithm>
#include <array>

#include "upstream/round_robin.hpp"

namespace penstock::upstream {

namespace {

// While one of them ramps up, weights are counted in hundredths.
constexpr std::uint32_t hundredths = 100;

Standing standing_of(const Candidate& candidate) noexcept {
  if (candidate.weight == 0) return Standing::weightless;
  if (candidate.said == Override::drain) return Standing::draining;
  if (candidate.said == Override::down) return Standing::disabled;
  if (candidate.is_ejected) return Standing::ejected;
  if (candidate.health == Health::down) return Standing::down;
  return candidate.is_cut_off ? Standing::cut_off : Standing::takes;
}

// Neither its configuration nor an operator forbids it new connections.
bool is_allowed(Standing standing) noexcept {
  return standing == Standing::takes || standing == Standing::ejected || standing == Standing::down;
}

std::vector<std::uint8_t> priorities_of(std::span<const Candidate> candidates) {
  std::vector<std::uint8_t> priorities;
  for (const Candidate& candidate : candidates) priorities.push_back(candidate.priority);
  std::sort(priorities.begin(), priorities.end());
  priorities.erase(std::unique(priorities.begin(), priorities.end()), priorities.end());
  return priorities;
}

template <class Belongs>
Tier tier_of(std::span<const Candidate> candidates, std::uint8_t priority, Belongs&& belongs) {
  Tier tier{.priority = priority, .members = {}, .order = {}};
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (candidates[i].priority == priority && belongs(i))
      tier.members.push_back(static_cast<std::uint16_t>(i));
  return tier;
}

// Rules 3, 5 and 6.
std::vector<Tier> usable_tiers(std::span<const Candidate> candidates,
                               const std::vector<Standing>& standing) {
  std::vector<Tier> tiers;
  for (const Standing wanted : {Standing::takes, Standing::cut_off})
    for (const Health health : {Health::up, Health::unknown})
      for (const std::uint8_t priority : priorities_of(candidates)) {
        Tier tier = tier_of(candidates, priority, [&](std::size_t i) {
          return standing[i] == wanted && candidates[i].health == health;
        });
        if (!tier.members.empty()) tiers.push_back(std::move(tier));
      }
  return tiers;
}

// Rule 4: the tier that takes the place of the first one, or one without members.
Tier panic_tier(std::span<const Candidate> candidates, const std::vector<Standing>& standing,
                const std::vector<Tier>& tiers, double threshold) {
  if (threshold <= 0) return {};
  const auto allowed = [&](std::size_t i) {
    return is_allowed(standing[i]) && !candidates[i].is_cut_off;
  };
  for (const std::uint8_t priority : priorities_of(candidates)) {
    if (!tiers.empty() && priority != tiers.front().priority) continue;
    Tier all = tier_of(candidates, priority, allowed);
    if (all.members.empty()) continue;
    const double usable = tiers.empty() ? 0 : static_cast<double>(tiers.front().members.size());
    const double share = usable / static_cast<double>(all.members.size());
    return share <= threshold && usable < static_cast<double>(all.members.size()) ? all : Tier{};
  }
  return {};
}

void weigh(Layout& layout, std::span<const Candidate> candidates) {
  const bool ramps = std::any_of(candidates.begin(), candidates.end(),
                                 [](const Candidate& one) { return one.ramp < 1.0; });
  for (const Candidate& candidate : candidates) {
    const double scaled = candidate.weight * hundredths * std::clamp(candidate.ramp, 0.0, 1.0);
    const auto ramped = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(scaled));
    layout.weight.push_back(ramps && candidate.weight > 0 ? ramped : candidate.weight);
    layout.ramp.push_back(static_cast<std::uint32_t>(candidate.ramp * Layout::ramp_whole));
  }
}

void fill_tiers(Layout& layout) {
  layout.tier_of.assign(layout.standing.size(), Layout::no_tier);
  for (std::size_t t = 0; t < layout.tiers.size(); ++t) {
    Tier& tier = layout.tiers[t];
    std::vector<std::uint32_t> weights;
    for (const std::uint16_t member : tier.members) {
      weights.push_back(layout.weight[member]);
      if (layout.tier_of[member] != Layout::no_tier) continue;  // panic took it from another one
      if (layout.standing[member] != Standing::cut_off)
        layout.standing[member] = t == 0 ? Standing::takes : Standing::takes_retries;
      layout.tier_of[member] = static_cast<std::uint8_t>(t);
    }
    for (const std::uint16_t place : smooth_weighted_order(weights))
      tier.order.push_back(tier.members[place]);
  }
}

}  // namespace

Layout lay_out(std::span<const Candidate> candidates, double panic_threshold) {
  Layout layout;
  for (const Candidate& candidate : candidates) layout.standing.push_back(standing_of(candidate));
  layout.tiers = usable_tiers(candidates, layout.standing);
  Tier panic = panic_tier(candidates, layout.standing, layout.tiers, panic_threshold);
  if (!panic.members.empty()) {
    layout.panics = true;
    if (layout.tiers.empty()) layout.tiers.emplace_back();
    layout.tiers.front() = std::move(panic);
  }
  weigh(layout, candidates);
  fill_tiers(layout);
  return layout;
}

}  // namespace penstock::upstream

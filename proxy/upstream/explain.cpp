#include "upstream/explain.hpp"

#include "upstream/hash.hpp"

namespace penstock::upstream {

namespace {

constexpr std::uint64_t sampled_turns = 65'536;

// After so many turns the picks repeat, or tell enough.
std::uint64_t turns_of(const Cluster& cluster) {
  if (cluster.layout().tiers.empty()) return 1;
  const Tier& first = cluster.layout().tiers.front();
  switch (cluster.balance()) {
    case Balance::round_robin: return first.order.size();
    case Balance::least_connections: return first.members.size();
    case Balance::first: return 1;
    case Balance::random_two:
    case Balance::peak_ewma:
    case Balance::source_hash:
    case Balance::maglev: break;
  }
  return sampled_turns;
}

}  // namespace

Explanation explain(const Upstream& upstream, std::optional<std::uint64_t> key, base::Instant now) {
  const Cluster& cluster = upstream.cluster();
  std::vector<double> shares(cluster.endpoints().size(), 0.0);
  if (upstream.is_full()) return {.next = {Pick::Outcome::full}, .shares = std::move(shares)};
  const bool is_one_client = cluster.uses_hash() && key.has_value();
  const std::uint64_t turns = is_one_client ? 1 : turns_of(cluster);
  const std::uint64_t client = key.value_or(mixed(0));
  Explanation explanation{
      .next = cluster.pick({.turn = upstream.turn(), .key = client, .now = now}, Tried{}),
      .shares = std::move(shares)};
  for (std::uint64_t turn = 0; turn < turns; ++turn) {
    const Question question{.turn = upstream.turn() + turn,
                            .key = is_one_client ? client : mixed_again(client, turn),
                            .now = now};
    const Pick pick = cluster.pick(question, Tried{});
    if (pick.outcome == Pick::Outcome::picked)
      explanation.shares[pick.index] += 1.0 / static_cast<double>(turns);
  }
  return explanation;
}

}  // namespace penstock::upstream

#include "upstream/explain.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "upstream/hash.hpp"

namespace penstock::upstream {

namespace {

constexpr std::uint64_t sampled_turns = 16'384;
constexpr std::uint64_t looks_max = 65'536;
// A prime above all numbers of turns: its multiples meet each turn once, and the first of them lie
// all over the order.
constexpr std::uint64_t stride = 1'000'003;
static_assert(stride > sampled_turns && stride > base::round_robin_order_max);

// After so many turns the picks repeat, or tell enough.
std::uint64_t turns_of(const Cluster& cluster) {
  if (cluster.layout().tiers.empty()) return 1;
  const Tier& first = cluster.layout().tiers.front();
  switch (cluster.balance()) {
    case Balance::round_robin: return first.order.size();
    case Balance::least_connections: return Cluster::line_of(first).size();
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
  Explanation explanation{.next = {Pick::Outcome::full},
                          .shares = std::vector<double>(cluster.endpoints().size(), 0.0)};
  if (upstream.is_full()) return explanation;
  const bool is_one_client = cluster.uses_hash() && key.has_value();
  const std::uint64_t turns = is_one_client ? 1 : turns_of(cluster);
  const std::uint64_t client = key.value_or(mixed(0));
  const auto pick = [&](std::uint64_t turn, std::uint64_t hash) {
    const Pick made =
        cluster.pick({.turn = upstream.turn() + turn, .key = hash, .now = now}, Tried{});
    explanation.looks += made.looks;
    return made;
  };
  explanation.next = pick(0, client);
  std::uint64_t asked = 0;
  for (; asked < turns && explanation.looks < looks_max; ++asked) {
    const std::uint64_t turn = asked * stride % turns;
    const Pick made = pick(turn, is_one_client ? client : mixed_again(client, turn));
    if (made.outcome == Pick::Outcome::picked) explanation.shares[made.index] += 1.0;
  }
  for (double& share : explanation.shares) share /= static_cast<double>(std::max(asked, 1UL));
  return explanation;
}

}  // namespace penstock::upstream

#include "upstream/round_robin.hpp"

#include <algorithm>
#include <numeric>

#include "base/limits.hpp"

namespace penstock::upstream {

namespace {

std::vector<std::int64_t> reduced(const std::vector<std::uint32_t>& weights) {
  std::uint32_t divisor = 0;
  for (const std::uint32_t weight : weights) divisor = std::gcd(divisor, weight);
  std::vector<std::int64_t> result(weights.size(), 0);
  if (divisor == 0) return result;
  for (std::size_t i = 0; i < weights.size(); ++i) result[i] = weights[i] / divisor;
  const auto total = std::accumulate(result.begin(), result.end(), std::int64_t{0});
  // Room for one extra entry each, since no weight is scaled down to 0.
  const auto limit = static_cast<std::int64_t>(base::round_robin_order_max - base::endpoints_max);
  if (total <= limit) return result;
  for (auto& weight : result)
    if (weight > 0) weight = std::max<std::int64_t>(1, weight * limit / total);
  return result;
}

}  // namespace

std::vector<std::uint16_t> smooth_weighted_order(const std::vector<std::uint32_t>& weights) {
  const std::vector<std::int64_t> share = reduced(weights);
  const auto total = std::accumulate(share.begin(), share.end(), std::int64_t{0});
  std::vector<std::uint16_t> order;
  order.reserve(static_cast<std::size_t>(total));
  // Each turn, everyone gains its share; the richest is picked and pays the total.
  std::vector<std::int64_t> credit(share.size(), 0);
  for (std::int64_t turn = 0; turn < total; ++turn) {
    std::size_t richest = share.size();
    for (std::size_t i = 0; i < share.size(); ++i) {
      if (share[i] == 0) continue;
      credit[i] += share[i];
      if (richest == share.size() || credit[i] > credit[richest]) richest = i;
    }
    credit[richest] -= total;
    order.push_back(static_cast<std::uint16_t>(richest));
  }
  return order;
}

}  // namespace penstock::upstream

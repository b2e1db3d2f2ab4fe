#include "upstream/round_robin.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/limits.hpp"

namespace penstock::upstream {

namespace {

struct InLine {
  std::int64_t share = 0;
  std::int64_t credit = 0;
  std::uint16_t index = 0;
};

// The smooth order proper costs turns times endpoints; beyond this it would hold up its thread.
constexpr std::size_t smooth_steps_max = 4'000'000;

// Each turn, everyone gains its share; the richest (the earlier one of two) is picked and pays the
// total.
std::vector<std::uint16_t> by_credit(std::vector<InLine> line, std::int64_t total) {
  std::vector<std::uint16_t> order;
  for (std::int64_t turn = 0; turn < total; ++turn) {
    InLine* richest = nullptr;
    for (InLine& one : line) {
      one.credit += one.share;
      if (richest == nullptr || one.credit > richest->credit) richest = &one;
    }
    richest->credit -= total;
    order.push_back(richest->index);
  }
  return order;
}

// The k-th of n turns of an endpoint is due at (2k - 1) / 2n of the whole: as even, and only the
// ties fall differently.
std::vector<std::uint16_t> by_due_time(const std::vector<InLine>& line, std::int64_t total) {
  std::vector<std::pair<double, std::uint16_t>> turns;
  turns.reserve(static_cast<std::size_t>(total));
  for (const InLine& one : line)
    for (std::int64_t k = 0; k < one.share; ++k)
      turns.emplace_back((static_cast<double>(k) + 0.5) / static_cast<double>(one.share),
                         one.index);
  std::sort(turns.begin(), turns.end());
  std::vector<std::uint16_t> order;
  for (const auto& [due, index] : turns) order.push_back(index);
  return order;
}

}  // namespace

std::vector<std::uint32_t> reduced_weights(const std::vector<std::uint32_t>& weights) {
  std::uint32_t divisor = 0;
  for (const std::uint32_t weight : weights) divisor = std::gcd(divisor, weight);
  std::vector<std::uint32_t> shares = weights;
  if (divisor == 0) return shares;
  std::uint64_t total = 0;
  for (auto& share : shares) total += share /= divisor;
  constexpr std::uint64_t limit = base::weights_sum_max;
  if (total <= limit) return shares;
  for (auto& share : shares)
    if (share > 0)
      share = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(share * limit / total));
  return shares;
}

std::vector<std::uint16_t> smooth_weighted_order(const std::vector<std::uint32_t>& weights) {
  const std::vector<std::uint32_t> shares = reduced_weights(weights);
  const auto total = std::accumulate(shares.begin(), shares.end(), std::int64_t{0});
  std::vector<InLine> line;
  for (std::size_t i = 0; i < shares.size(); ++i)
    if (shares[i] > 0)
      line.push_back({.share = shares[i], .credit = 0, .index = static_cast<std::uint16_t>(i)});
  const auto turns = static_cast<std::size_t>(total);
  // Of equal ones each has one turn, and both orders are that of the line.
  const bool is_credit_cheap = turns > line.size() && line.size() * turns <= smooth_steps_max;
  return is_credit_cheap ? by_credit(std::move(line), total) : by_due_time(line, total);
}

}  // namespace penstock::upstream

#include "runtime/hand_off.hpp"

#include <algorithm>

namespace penstock::runtime {

namespace {
constexpr std::size_t share_slack_part = 8;
constexpr std::size_t share_slack = 16;
}  // namespace

// Where no forwarder is near, none of them is nearer than another.
HandOff::HandOff(std::vector<bool> near)
    : near_{std::move(near)},
      all_near_{std::all_of(near_.begin(), near_.end(), [](bool is) { return is; }) ||
                std::none_of(near_.begin(), near_.end(), [](bool is) { return is; })},
      host_{all_near_ ? os::HostAddresses{} : os::HostAddresses::now()} {}

std::size_t HandOff::least_of(std::span<const std::size_t> loads, bool near_only) noexcept {
  const std::size_t count = loads.size();
  std::size_t best = count;
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t one = (turn_ + step) % count;
    if (near_only && !near_[one]) continue;
    if (best == count || loads[one] < loads[best]) best = one;
  }
  return best;
}

HandOff::Choice HandOff::choose(std::span<const std::size_t> loads,
                                const os::IpEndpoint& peer) noexcept {
  ++turn_;
  const std::size_t best = least_of(loads, false);
  if (all_near_ || host_.has(peer)) return {.forwarder = best, .left_node = false};
  const std::size_t near = least_of(loads, true);
  if (loads[near] > loads[best] + loads[best] / share_slack_part + share_slack)
    return {.forwarder = best, .left_node = true};
  return {.forwarder = near, .left_node = false};
}

}  // namespace penstock::runtime

#include "upstream/slot_table.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.hpp"
#include "upstream/hash.hpp"
#include "upstream/round_robin.hpp"

namespace penstock::upstream {

namespace {

constexpr std::array<std::uint32_t, 3> table_sizes{65'537, 655'373, 1'638'431};
constexpr std::size_t slots_per_owner_min = 100;
static_assert(table_sizes.back() >= base::endpoints_max * slots_per_owner_min);
constexpr std::uint16_t unowned = 0xffff;

// Without those of weight 0, in the order of the identities.
std::vector<SlotOwner> in_order(std::vector<SlotOwner> owners) {
  std::erase_if(owners, [](const SlotOwner& owner) { return owner.weight == 0; });
  std::sort(owners.begin(), owners.end(),
            [](const SlotOwner& a, const SlotOwner& b) { return a.identity < b.identity; });
  return owners;
}

// The permutation of one owner, and how far it has come.
struct Taker {
  std::uint32_t next = 0;  // slot
  std::uint32_t skip = 1;
};

Taker taker_of(const SlotOwner& owner, std::uint32_t size) {
  const std::uint64_t hash = hash_of(owner.identity);
  return {.next = static_cast<std::uint32_t>(hash % size),
          .skip = static_cast<std::uint32_t>(mixed_again(hash, 0) % (size - 1) + 1)};
}

// Millions of steps for a large table, so without a division.
std::uint64_t take_slot(Taker& taker, Slots& slots, std::uint16_t index) {
  const auto size = static_cast<std::uint32_t>(slots.size());
  std::uint64_t looks = 1;
  for (; slots[taker.next] != unowned; ++looks) {
    taker.next += taker.skip;
    if (taker.next >= size) taker.next -= size;
  }
  slots[taker.next] = index;
  return looks;
}

// In a round the heaviest owner takes one slot, and the others as many per round as their weight is
// to it: the k-th is due in round k * heaviest / weight, rounded up.
class Rounds {
 public:
  // As many rounds as `turns` turns need.
  Rounds(const std::vector<SlotOwner>& owners, std::uint64_t turns)
      : owners_{owners}, turns_{turns} {
    for (const SlotOwner& owner : owners)
      heaviest_ = std::max<std::uint64_t>(heaviest_, owner.weight);
    std::uint64_t too_few = 0;
    for (count_ = turns; count_ - too_few > 1;) {
      const std::uint64_t middle = (too_few + count_) / 2;
      (turns_within(middle) < turns ? too_few : count_) = middle;
    }
  }

  // Who takes a slot, turn after turn; within a round in the order of the owners. Sorted by
  // counting the turns of each round.
  std::vector<std::uint16_t> order() const {
    std::vector<std::uint32_t> begins(count_ + 2, 0);  // by round, which count from 1
    for (std::size_t i = 0; i < owners_.size(); ++i)
      for_rounds_of(i, [&](std::uint64_t round) { ++begins[round + 1]; });
    for (std::size_t round = 1; round < begins.size(); ++round) begins[round] += begins[round - 1];
    std::vector<std::uint16_t> order(begins.back());
    for (std::size_t i = 0; i < owners_.size(); ++i)
      for_rounds_of(
          i, [&](std::uint64_t round) { order[begins[round]++] = static_cast<std::uint16_t>(i); });
    order.resize(turns_);
    return order;
  }

 private:
  std::uint64_t turns_within(std::uint64_t rounds) const noexcept {
    std::uint64_t turns = 0;
    for (const SlotOwner& owner : owners_) turns += rounds * owner.weight / heaviest_;
    return turns;
  }

  // Without a division for each.
  template <class Call>
  void for_rounds_of(std::size_t owner, Call&& call) const {
    const std::uint64_t weight = owners_[owner].weight;
    std::uint64_t whole = 0;
    for (std::uint64_t rest = 0;;) {  // k * heaviest = whole * weight + rest
      whole += heaviest_ / weight;
      rest += heaviest_ % weight;
      if (rest >= weight) {
        rest -= weight;
        ++whole;
      }
      const std::uint64_t round = whole + (rest > 0 ? 1 : 0);
      if (round > count_) return;
      call(round);
    }
  }

  const std::vector<SlotOwner>& owners_;
  const std::uint64_t turns_;
  std::uint64_t heaviest_ = 0;
  std::uint64_t count_ = 0;
};

std::uint32_t table_size(std::size_t owners) noexcept {
  for (const std::uint32_t size : table_sizes)
    if (owners * slots_per_owner_min <= size) return size;
  return table_sizes.back();
}

}  // namespace

Slots slots_by_weight(std::vector<SlotOwner> owners) {
  owners = in_order(std::move(owners));
  std::vector<std::uint32_t> weights;
  for (const SlotOwner& owner : owners) weights.push_back(owner.weight);
  const std::vector<std::uint32_t> shares = reduced_weights(weights);
  Slots slots;
  for (std::size_t i = 0; i < owners.size(); ++i)
    slots.insert(slots.end(), shares[i], owners[i].index);
  return slots;
}

Slots maglev_slots(std::vector<SlotOwner> owners) {
  std::uint64_t looks = 0;
  return maglev_slots(std::move(owners), looks);
}

Slots maglev_slots(std::vector<SlotOwner> owners, std::uint64_t& looks) {
  owners = in_order(std::move(owners));
  if (owners.empty()) return {};
  const std::uint32_t size = table_size(owners.size());
  std::vector<Taker> takers;
  for (const SlotOwner& owner : owners) takers.push_back(taker_of(owner, size));
  Slots slots(size, unowned);
  for (const std::uint16_t next : Rounds{owners, size}.order())
    looks += take_slot(takers[next], slots, owners[next].index);
  return slots;
}

bool is_quick_maglev(std::size_t owners) noexcept {
  return table_size(owners) == table_sizes.front();
}

}  // namespace penstock::upstream

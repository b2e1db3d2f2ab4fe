#include "upstream/slot_table.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "upstream/hash.hpp"
#include "upstream/round_robin.hpp"

namespace penstock::upstream {

namespace {

constexpr std::uint32_t small_table = 65'537;
constexpr std::uint32_t large_table = 655'373;
constexpr std::size_t slots_per_owner_min = 100;

// Without those of weight 0, in the order of the identities.
std::vector<SlotOwner> in_order(std::vector<SlotOwner> owners) {
  std::erase_if(owners, [](const SlotOwner& owner) { return owner.weight == 0; });
  std::sort(owners.begin(), owners.end(),
            [](const SlotOwner& a, const SlotOwner& b) { return a.identity < b.identity; });
  return owners;
}

// The permutation of one owner, and how far it has come.
struct Taker {
  std::uint64_t next = 0;  // slot
  std::uint64_t skip = 1;
  std::uint64_t credit = 0;
};

Taker taker_of(const SlotOwner& owner, std::uint32_t size) {
  const std::uint64_t hash = hash_of(owner.identity);
  return {.next = hash % size, .skip = mixed_again(hash, 0) % (size - 1) + 1, .credit = 0};
}

std::uint64_t take_slot(Taker& taker, Slots& slots, std::uint16_t index) {
  while (slots[taker.next] != 0xffff) taker.next = (taker.next + taker.skip) % slots.size();
  slots[taker.next] = index;
  return 1;
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
  owners = in_order(std::move(owners));
  if (owners.empty()) return {};
  const std::uint32_t size =
      owners.size() * slots_per_owner_min <= small_table ? small_table : large_table;
  std::vector<Taker> takers;
  std::uint64_t heaviest = 0;
  for (const SlotOwner& owner : owners) {
    takers.push_back(taker_of(owner, size));
    heaviest = std::max<std::uint64_t>(heaviest, owner.weight);
  }
  Slots slots(size, 0xffff);
  std::uint64_t taken = 0;
  // In a round the heaviest takes one slot and the others as many per round as their weight is to
  // it: their credit says when.
  while (taken < size) {
    for (std::size_t i = 0; i < owners.size() && taken < size; ++i) {
      takers[i].credit += owners[i].weight;
      if (takers[i].credit < heaviest) continue;
      takers[i].credit -= heaviest;
      taken += take_slot(takers[i], slots, owners[i].index);
    }
  }
  return slots;
}

}  // namespace penstock::upstream

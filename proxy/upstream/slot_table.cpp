#include "upstream/slot_table.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "upstream/hash.hpp"
#include "upstream/round_robin.hpp"

namespace penstock::upstream {

namespace {

constexpr std::uint32_t small_table = 65'537;
constexpr std::uint32_t large_table = 655'373;
constexpr std::size_t slots_per_owner_min = 100;
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
void take_slot(Taker& taker, Slots& slots, std::uint16_t index) {
  const auto size = static_cast<std::uint32_t>(slots.size());
  while (slots[taker.next] != unowned) {
    taker.next += taker.skip;
    if (taker.next >= size) taker.next -= size;
  }
  slots[taker.next] = index;
}

// The next turn of an owner. In a round the heaviest takes one slot, and the others as many per
// round as their weight is to it: the k-th is due in round k * heaviest / weight, rounded up.
struct Turn {
  std::uint64_t round = 0;
  std::size_t owner = 0;
  std::uint64_t number = 1;
  bool operator>(const Turn& other) const noexcept {
    return std::pair{round, owner} > std::pair{other.round, other.owner};
  }
};

Turn turn_of(std::size_t owner, std::uint64_t number, std::uint64_t weight,
             std::uint64_t heaviest) {
  return {.round = (number * heaviest + weight - 1) / weight, .owner = owner, .number = number};
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
  std::uint64_t heaviest = 0;
  for (const SlotOwner& owner : owners) heaviest = std::max<std::uint64_t>(heaviest, owner.weight);
  std::vector<Taker> takers;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    takers.push_back(taker_of(owners[i], size));
    turns.push(turn_of(i, 1, owners[i].weight, heaviest));
  }
  Slots slots(size, unowned);
  for (std::uint32_t taken = 0; taken < size; ++taken) {
    const Turn turn = turns.top();
    turns.pop();
    take_slot(takers[turn.owner], slots, owners[turn.owner].index);
    turns.push(turn_of(turn.owner, turn.number + 1, owners[turn.owner].weight, heaviest));
  }
  return slots;
}

}  // namespace penstock::upstream

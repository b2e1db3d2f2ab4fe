#pragma once
// The tables of source_hash and maglev: a hash leads to a slot, and a slot belongs to an endpoint.
//
// A table is made from who stands in the configuration, in the order of their identities, never
// from who is up: two machines that see different failures still agree on everybody else, and an
// endpoint that fails and returns moves nobody but its own clients.
//
// Owner    shared between the snapshots of the same endpoints. Immutable. Thread: any.

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::upstream {

struct SlotOwner {
  std::string identity;
  std::uint32_t weight = 1;
  std::uint16_t index = 0;  // in the snapshot
};

using Slots = std::vector<std::uint16_t>;  // of SlotOwner::index; empty where all weights are 0

// As many slots in a row for each as its weight says (divided by the greatest common divisor; at
// most base::round_robin_order_max in all).
Slots slots_by_weight(std::vector<SlotOwner> owners);

// The lookup table of Maglev: every owner has a permutation of all slots by the hashes of its
// identity and takes the next free one of it when its turn comes; turns go by weight. When one of n
// owners goes, its slots move and few others do.
// Size     a prime, and at least 100 slots for each owner: 65537, 655373 or 1638431.
// Cost     size * ln(size) looks at slots, about, whoever owns them: up to a tenth of a second.
// Source   Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI
//          2016, section 3.4.
Slots maglev_slots(std::vector<SlotOwner> owners);
// The same, and tells how many looks it took.
Slots maglev_slots(std::vector<SlotOwner> owners, std::uint64_t& looks);
// A table of so many owners is made in a few milliseconds.
bool is_quick_maglev(std::size_t owners) noexcept;

}  // namespace penstock::upstream

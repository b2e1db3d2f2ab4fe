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
// Size     a prime, at least 65537, and at least 100 slots for each owner: 65537 or 655373.
// Source   Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI
//          2016, section 3.4.
Slots maglev_slots(std::vector<SlotOwner> owners);

}  // namespace penstock::upstream

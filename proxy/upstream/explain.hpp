#pragma once
// What a new connection would meet: asks the very function that decides for real, for one client or
// for as many turns as tell the shares.
//
// Thread   control. Takes no place and no turn.
// Bound    once it has looked at 65,536 endpoints it asks no more: a pick may look past all that
//          are full, and so may the next one.

#include <optional>
#include <vector>

#include "base/time.hpp"
#include "upstream/upstream.hpp"

namespace penstock::upstream {

struct Explanation {
  // Of the next connection (of this client, where the balancer looks at it).
  Pick next;
  // By endpoint: the share of the next connections, everything else staying as it is now. Exact for
  // round_robin, least_connections and first, where the bound leaves time for all their turns;
  // counted over 16,384 turns or clients, or as many as the bound allows, for the others.
  std::vector<double> shares;
  std::uint64_t looks = 0;  // at endpoints
};

// `key`: the hash of a client; empty: any.
Explanation explain(const Upstream& upstream, std::optional<std::uint64_t> key, base::Instant now);

}  // namespace penstock::upstream

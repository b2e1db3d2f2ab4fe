#pragma once
// What a new connection would meet: asks the very function that decides for real, for one client or
// for as many turns as tell the shares.
//
// Thread   control. Takes no place and no turn; milliseconds for thousands of endpoints.

#include <optional>
#include <vector>

#include "base/time.hpp"
#include "upstream/upstream.hpp"

namespace penstock::upstream {

struct Explanation {
  // Of the next connection (of this client, where the balancer looks at it).
  Pick next;
  // By endpoint: the share of the next connections, everything else staying as it is now. Exact for
  // round_robin, least_connections and first; counted over 65536 turns or clients for the others.
  std::vector<double> shares;
};

// `key`: the hash of a client; empty: any.
Explanation explain(const Upstream& upstream, std::optional<std::uint64_t> key, base::Instant now);

}  // namespace penstock::upstream

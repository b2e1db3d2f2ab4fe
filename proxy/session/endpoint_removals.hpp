#pragma once
// Endpoints that go away together, and what becomes of their connections: a list is looked up for
// every connection once, however many endpoints it has.
//
// Owner    whoever holds it; never changed once made. Thread: made by control, read by forwarders.

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "session/close_reason.hpp"

namespace penstock::upstream {
struct LiveRecord;
}

namespace penstock::session {

struct EndpointRemoval {
  upstream::LiveRecord* endpoint = nullptr;
  CloseReason reason = CloseReason::endpoint_removed;
  bool at_once = false;  // else by FIN, when idle, as in a drain
};

class EndpointRemovals {
 public:
  // Of an endpoint that is named twice the first one counts.
  explicit EndpointRemovals(std::vector<EndpointRemoval> removals)
      : removals_{std::move(removals)} {
    std::stable_sort(removals_.begin(), removals_.end(), is_before);
  }

  // nullptr: it stays.
  const EndpointRemoval* of(const upstream::LiveRecord* endpoint) const noexcept {
    const auto found = std::lower_bound(
        removals_.begin(), removals_.end(), endpoint,
        [](const EndpointRemoval& one, const upstream::LiveRecord* asked) {
          return std::less<>{}(static_cast<const upstream::LiveRecord*>(one.endpoint), asked);
        });
    return found != removals_.end() && found->endpoint == endpoint ? &*found : nullptr;
  }

 private:
  static bool is_before(const EndpointRemoval& one, const EndpointRemoval& other) noexcept {
    return std::less<>{}(one.endpoint, other.endpoint);
  }

  std::vector<EndpointRemoval> removals_;  // by address of the record
};

}  // namespace penstock::session

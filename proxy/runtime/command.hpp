#pragma once
// What control may tell a forwarder. A value: made by control, sent through CommandOutbox, obeyed
// on the forwarder's thread at the beginning of its next round.
//
// Owner    whoever holds it; the list of a removal is shared by all who were sent it, its endpoints
//          are the Registry's, which keeps them until a ping that was sent later has been answered.

#include <cstdint>
#include <memory>

#include "base/time.hpp"
#include "session/endpoint_removals.hpp"

namespace penstock::runtime {

struct Command {
  enum class Kind : std::uint8_t { ping, drain, remove_endpoints, cut };
  Kind kind = Kind::ping;
  std::uint64_t number = 0;   // of a ping
  base::Duration timeout{0};  // of a drain, or of a removal that is no close
  std::shared_ptr<const session::EndpointRemovals> removals{};
};

}  // namespace penstock::runtime

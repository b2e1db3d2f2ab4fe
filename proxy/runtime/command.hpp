#pragma once
// What control may tell a forwarder. A value: made by control, sent through CommandOutbox, obeyed
// on the forwarder's thread at the beginning of its next round.
//
// Owner    whoever holds it; the endpoint of a removal is the Registry's, which keeps it until
//          a ping that was sent later has been answered.

#include <cstdint>

#include "base/time.hpp"
#include "session/session.hpp"

namespace penstock::runtime {

struct Command {
  enum class Kind : std::uint8_t { ping, drain, remove_endpoint, cut };
  Kind kind = Kind::ping;
  std::uint64_t number = 0;            // of a ping
  base::Duration timeout{0};           // of a drain, or of a removal that is no close
  session::EndpointRemoval removal{};  // its turn is worked out by the forwarder
};

}  // namespace penstock::runtime

#pragma once
// Why a connection ended: exactly one per connection, the same word in the log, the metrics and the
// trace. The words are a promise to users (docs/OPERATIONS.md).

#include <cstdint>

#include "base/enum_names.hpp"

namespace penstock::session {

enum class CloseReason : std::uint8_t {
  complete,  // both directions ended with FIN
  client_reset,
  upstream_reset,
  idle_timeout,
  half_close_timeout,
  max_lifetime,
  peer_timeout,      // also keepalive
  connect_failed,    // every attempt failed
  no_endpoint,       // there was nobody to try
  queue_full,        // no place was free, and none to wait for one
  queue_timeout,     // it waited for a place in vain
  connection_limit,  // the listener's max_connections
  drain,
  endpoint_down,     // its endpoint went down, and on_down is close
  endpoint_removed,  // its endpoint left the upstream, and on_remove is not keep
  overload,          // a descriptor, a watch or memory was missing
  internal,
};
inline constexpr base::EnumNames<CloseReason, 17> close_reason_names{
    {"complete", "client_reset", "upstream_reset", "idle_timeout", "half_close_timeout",
     "max_lifetime", "peer_timeout", "connect_failed", "no_endpoint", "queue_full", "queue_timeout",
     "connection_limit", "drain", "endpoint_down", "endpoint_removed", "overload", "internal"}};
static_assert(close_reason_names[CloseReason::internal] == "internal");
static_assert(close_reason_names[CloseReason::connect_failed] == "connect_failed");

}  // namespace penstock::session

#pragma once
// What one listener promises its connections: the `defaults` part of the configuration with the
// listener's overrides, and where its connections go.

#include <optional>
#include <string>

#include "base/time.hpp"
#include "files/options.hpp"
#include "os/socket.hpp"

namespace penstock::session {

// 0 = none, for each of these.
struct Timeouts {
  base::Duration idle = std::chrono::hours{1};           // no byte in either direction
  base::Duration half_close = std::chrono::seconds{60};  // one direction finished, the other silent
  base::Duration max_lifetime{0};                        // with a jitter of +-10 %
  base::Duration peer = std::chrono::seconds{30};        // data in flight and no sign of life
  base::Duration abort_linger = std::chrono::seconds{5};  // see docs/RELAY.md, "Aborts"
  bool operator==(const Timeouts&) const = default;
};

struct ListenerOptions {
  std::string name;
  // Exactly one of the two is set.
  std::string upstream;
  std::optional<files::Options> files;
  std::size_t max_connections = 10'000;  // 0 = no limit
  Timeouts timeouts;
  os::SocketOptions socket;  // of both sockets of a connection
  bool operator==(const ListenerOptions&) const = default;
};

}  // namespace penstock::session

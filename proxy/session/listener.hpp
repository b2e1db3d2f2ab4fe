#pragma once
// A listener as its sessions see it: its promises and where its connections go.
//
// Owner    shared and immutable after construction; `active` and the log switches excepted.
// Thread   any.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "os/address.hpp"
#include "session/options.hpp"

namespace penstock::files {
class Site;
}
namespace penstock::upstream {
class Upstream;
}

namespace penstock::session {

struct Listener {
  std::uint32_t index = 0;
  ListenerOptions options;
  // Exactly one of the two is set.
  upstream::Upstream* upstream = nullptr;  // the registry's
  std::shared_ptr<const files::Site> site;

  // Connections of this listener, reserved by an acceptor before the hand-off and given back by the
  // forwarder at the end: all threads write it, so it has a line apart from what they only read.
  alignas(base::cache_line_bytes) std::atomic<std::size_t> active{0};
};

// A connection on its way from an acceptor to a forwarder.
struct Arrival {
  int socket = -1;          // owned by whoever holds the arrival
  bool over_limit = false;  // the listener is full: to be counted, logged and reset
  os::IpEndpoint peer;
  std::uint64_t id = 0;
  base::Instant at{};
  Listener* listener = nullptr;
};

}  // namespace penstock::session

#pragma once
// What one forwarder shows: who it is, and where its numbers are. Plain references; a view owns
// nothing.
//
// Owner    whoever asked the Server. Thread: control. What it refers to lives as long as the server
//          and may be read at any time.

#include <cstddef>
#include <optional>

#include "base/time.hpp"

namespace penstock::files {
class SiteCaches;
}
namespace penstock::relay {
struct Counters;
}
namespace penstock::session {
struct Counters;
}

namespace penstock::runtime {

class RoundTimes;

struct ForwarderView {
  std::size_t index;
  int node;
  int cpu;  // to which it is pinned, or -1
  const relay::Counters& relay;
  const session::Counters& sessions;
  const RoundTimes& rounds;
  base::Instant last_answer;  // to the last ping that it answered
  const files::SiteCaches* sites = nullptr;
  std::optional<int> ring_refusal;  // see Forwarder::ring_refusal()
};

}  // namespace penstock::runtime

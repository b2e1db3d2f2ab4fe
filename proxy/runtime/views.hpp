#pragma once
// What the threads of a server show: who they are, and where their numbers are. Plain values and
// references; a view owns nothing.
//
// Owner    whoever asked the Server. Thread: control. What it refers to lives as long as the server
//          and may be read at any time.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "os/numa_memory.hpp"
#include "runtime/placement.hpp"
#include "runtime/thread_place.hpp"

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
struct Assembly;

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

// A NodeArena for reports.
struct ArenaView {
  int node = 0;
  MemoryPolicy policy = MemoryPolicy::system;
  bool is_placed = false;  // the kernel accepted the policy
  std::size_t opened_bytes = 0;
  std::optional<os::PagesByNode> pages{};  // of those that were touched, where that was asked
};

// What an acceptor has done.
struct AcceptedView {
  std::uint64_t connections = 0;
  std::uint64_t passed_on = 0;  // to another node, for its own was over its share
};

// A thread of the data plane for reports: its name, the plan and the truth.
struct ThreadView {
  std::string name;
  const ThreadPlan& plan;
  ThreadPlace::Seen seen;
  std::optional<ArenaView> arena{};        // of a forwarder that was built
  std::optional<AcceptedView> accepted{};  // of an acceptor that was built
};

std::vector<ForwarderView> views_of_forwarders(const Assembly& server);
// Every acceptor and forwarder, without the pages of the arenas.
std::vector<ThreadView> views_of_threads(const Assembly& server);
// With them: asks the kernel.
std::vector<ThreadView> views_of_threads_with_pages(const Assembly& server);

}  // namespace penstock::runtime

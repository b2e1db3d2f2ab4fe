#pragma once
// What one forwarder counts of sessions. Written by the forwarder, read by anyone; control adds the
// forwarders up and gives the numbers names.

#include <array>
#include <cstddef>
#include <deque>
#include <memory_resource>

#include "base/counter.hpp"
#include "base/histogram.hpp"
#include "session/close_reason.hpp"

namespace penstock::session {

inline constexpr std::size_t to_upstream = 0;
inline constexpr std::size_t to_client = 1;

struct ListenerCounters {
  base::Counter accepted;
  std::array<base::Counter, close_reason_names.size()> closed;
  std::array<base::Counter, 2> bytes;      // by direction; what the destination socket took
  std::array<base::Counter, 2> truncated;  // connections, by direction
  base::Histogram duration;
};

struct UpstreamCounters {
  base::Histogram connect;
  base::Counter retries;
};

struct Counters {
  Counters(std::size_t listener_count, std::size_t upstream_count,
           std::pmr::memory_resource& memory = *std::pmr::new_delete_resource())
      : listeners(listener_count, &memory), upstreams(upstream_count, &memory) {}

  // Indexed as the configuration lists them.
  std::pmr::deque<ListenerCounters> listeners;
  std::pmr::deque<UpstreamCounters> upstreams;
  std::array<base::Histogram, 2> rtt;        // client, upstream; sampled at close
  std::array<base::Counter, 2> retransmits;  // likewise
  base::Counter records_dropped;             // the ring towards the log was full
  base::Counter sendfile_bytes;
  base::Counter cut;     // connections that a drain reset
  base::Counter stalls;  // connections that were found asleep with work to do
};

}  // namespace penstock::session

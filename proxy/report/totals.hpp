#pragma once
// What all forwarders counted, added up. Prometheus, JSON and texts only render it.
//
// Owner    whoever asked. Thread: control; the counters are those of the forwarders, who go on
//          counting, so that numbers may be a moment apart from each other.
// Units    bytes; histograms in seconds; all else is how often it happened, or how many there are.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/histogram.hpp"
#include "relay/counters.hpp"
#include "runtime/views.hpp"
#include "session/counters.hpp"

namespace penstock::files {
class Site;
}

namespace penstock::report {

using ForwarderViews = std::vector<runtime::ForwarderView>;

// See session::ListenerCounters.
struct ListenerTotals {
  std::uint64_t accepted = 0;
  std::array<std::uint64_t, session::close_reason_names.size()> closed{};
  std::array<std::uint64_t, 2> bytes{};
  std::array<std::uint64_t, 2> truncated{};
  base::Histogram::Totals duration;

  std::uint64_t closed_for(session::CloseReason reason) const noexcept {
    return closed[static_cast<std::size_t>(reason)];
  }
  std::uint64_t ended() const noexcept;  // for any reason
};

// See session::UpstreamCounters.
struct UpstreamTotals {
  base::Histogram::Totals connect;
  std::uint64_t retries = 0;
};

// See session::Counters: those that are of no listener and no upstream.
struct SessionTotals {
  std::array<base::Histogram::Totals, 2> rtt;
  std::array<std::uint64_t, 2> retransmits{};
  std::uint64_t records_dropped = 0;
  std::uint64_t cut = 0;
  std::uint64_t stalls = 0;
};

// See relay::Counters.
struct RelayTotals {
  std::array<std::uint64_t, relay::fallback_names.size()> fallbacks{};
  std::array<std::uint64_t, relay::zerocopy_fallback_names.size()> zerocopy_fallbacks{};
  std::array<std::uint64_t, relay::switch_names.size()> switches{};
  std::uint64_t pipes_leased = 0;
  std::uint64_t pipes_idle = 0;
  std::uint64_t pipes_large = 0;
  std::uint64_t pipes_degraded = 0;
  std::uint64_t zerocopy_sends = 0;
  std::uint64_t zerocopy_copied = 0;
  std::uint64_t zerocopy_abandoned = 0;
};

// See files::CacheCounters: of one site.
struct FileTotals {
  std::uint64_t open = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t evictions = 0;
};

ListenerTotals listener_totals(const ForwarderViews& forwarders, std::size_t listener);
ListenerTotals all_listeners(const ForwarderViews& forwarders);
UpstreamTotals upstream_totals(const ForwarderViews& forwarders, std::size_t upstream);
SessionTotals session_totals(const ForwarderViews& forwarders);
RelayTotals relay_totals(const ForwarderViews& forwarders);
FileTotals file_totals(const ForwarderViews& forwarders, const files::Site& site);

// For a page in pieces: each listener and upstream is added up once, when its first row is written.
class TotalsByRow {
 public:
  TotalsByRow(const ForwarderViews& forwarders, std::size_t listeners, std::size_t upstreams)
      : forwarders_{forwarders}, listeners_(listeners), upstreams_(upstreams) {}

  const ListenerTotals& listener(std::size_t index);
  const UpstreamTotals& upstream(std::size_t index);

 private:
  const ForwarderViews& forwarders_;
  std::vector<std::optional<ListenerTotals>> listeners_;
  std::vector<std::optional<UpstreamTotals>> upstreams_;
};

}  // namespace penstock::report

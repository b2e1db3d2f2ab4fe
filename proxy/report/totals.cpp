#include "report/totals.hpp"

#include <numeric>

#include "files/site_cache.hpp"

namespace penstock::report {

namespace {

template <std::size_t N>
void add(std::array<std::uint64_t, N>& totals, const std::array<base::Counter, N>& counters) {
  for (std::size_t i = 0; i < N; ++i) totals[i] += counters[i].value();
}

void add(ListenerTotals& totals, const session::ListenerCounters& counters) {
  totals.accepted += counters.accepted.value();
  add(totals.closed, counters.closed);
  add(totals.bytes, counters.bytes);
  add(totals.truncated, counters.truncated);
  counters.duration.add_to(totals.duration);
}

}  // namespace

std::uint64_t ListenerTotals::ended() const noexcept {
  return std::accumulate(closed.begin(), closed.end(), std::uint64_t{0});
}

ListenerTotals listener_totals(const ForwarderViews& forwarders, std::size_t listener) {
  ListenerTotals totals;
  for (const auto& forwarder : forwarders) add(totals, forwarder.sessions.listeners[listener]);
  return totals;
}

ListenerTotals all_listeners(const ForwarderViews& forwarders) {
  ListenerTotals totals;
  for (const auto& forwarder : forwarders)
    for (const auto& listener : forwarder.sessions.listeners) add(totals, listener);
  return totals;
}

UpstreamTotals upstream_totals(const ForwarderViews& forwarders, std::size_t upstream) {
  UpstreamTotals totals;
  for (const auto& forwarder : forwarders) {
    const session::UpstreamCounters& counters = forwarder.sessions.upstreams[upstream];
    counters.connect.add_to(totals.connect);
    totals.retries += counters.retries.value();
  }
  return totals;
}

SessionTotals session_totals(const ForwarderViews& forwarders) {
  SessionTotals totals;
  for (const auto& forwarder : forwarders) {
    const session::Counters& counters = forwarder.sessions;
    for (std::size_t side = 0; side < totals.rtt.size(); ++side)
      counters.rtt[side].add_to(totals.rtt[side]);
    add(totals.retransmits, counters.retransmits);
    totals.records_dropped += counters.records_dropped.value();
    totals.cut += counters.cut.value();
    totals.stalls += counters.stalls.value();
  }
  return totals;
}

RelayTotals relay_totals(const ForwarderViews& forwarders) {
  RelayTotals totals;
  for (const auto& forwarder : forwarders) {
    const relay::Counters& counters = forwarder.relay;
    add(totals.fallbacks, counters.fallbacks);
    add(totals.zerocopy_fallbacks, counters.zerocopy_fallbacks);
    add(totals.switches, counters.switches);
    totals.pipes_leased += counters.pipes_leased.value();
    totals.pipes_idle += counters.pipes_idle.value();
    totals.pipes_large += counters.pipes_large.value();
    totals.pipes_degraded += counters.pipes_degraded.value();
    totals.zerocopy_sends += counters.zerocopy_sends.value();
    totals.zerocopy_copied += counters.zerocopy_copied.value();
    totals.zerocopy_abandoned += counters.zerocopy_abandoned.value();
  }
  return totals;
}

FileTotals file_totals(const ForwarderViews& forwarders, const files::Site& site) {
  FileTotals totals;
  for (const auto& forwarder : forwarders) {
    if (forwarder.sites == nullptr) continue;
    for (const files::SiteCache& one : forwarder.sites->all()) {
      if (&one.site() != &site) continue;
      const files::CacheCounters& counters = one.cache().counters();
      totals.open += counters.open.value();
      totals.hits += counters.hits.value();
      totals.misses += counters.misses.value();
      totals.evictions += counters.evictions.value();
    }
  }
  return totals;
}

const ListenerTotals& TotalsByRow::listener(std::size_t index) {
  auto& totals = listeners_[index];
  if (!totals) totals = listener_totals(forwarders_, index);
  return *totals;
}

const UpstreamTotals& TotalsByRow::upstream(std::size_t index) {
  auto& totals = upstreams_[index];
  if (!totals) totals = upstream_totals(forwarders_, index);
  return *totals;
}

}  // namespace penstock::report

#include "upstream/upstream.hpp"

#include <algorithm>

#include "base/times.hpp"
#include "upstream/hash.hpp"

namespace penstock::upstream {

namespace {

// Takes one of `limit` places; 0 = there is no limit.
bool reserve_place(std::atomic<std::uint32_t>& active, std::uint32_t limit) noexcept {
  if (limit == 0) {
    active.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  std::uint32_t seen = active.load(std::memory_order_seq_cst);  // see WaitQueue
  while (seen < limit)
    if (active.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) return true;
  return false;
}

// The n-th ejection in a row lasts twice as long as the one before, +-10 % by the record's number,
// so that endpoints that failed together do not return together.
base::Duration ejection_time(const OutlierOptions& options, const LiveRecord& endpoint,
                             std::uint64_t in_a_row) noexcept {
  const base::Duration whole =
      base::times(options.ejection, 1 << std::min(in_a_row, base::ejection_doublings_max));
  const std::uint64_t lot = mixed_again(endpoint.number, in_a_row) % 2001;
  return whole / 10'000 * static_cast<std::int64_t>(9'000 + lot);
}

}  // namespace

Upstream::Upstream(const ClusterSpec& spec, std::size_t index, std::atomic<bool>& stale)
    : spec_{spec},
      index_{index},
      has_names_{std::any_of(
          spec.sources.begin(), spec.sources.end(),
          [](const EndpointSource& source) { return std::holds_alternative<DnsSource>(source); })},
      stale_{stale},
      queue_{spec.queue.size} {}

Upstream::~Upstream() {
  delete current_.load(std::memory_order_relaxed);
}

Upstream::Taken Upstream::take(std::uint64_t key, const Tried& tried, bool in_line,
                               base::Instant now) noexcept {
  if (cluster().layout().tiers.empty()) return {Pick::Outcome::nobody};  // not even in line
  if (!in_line && queue_.length() > 0) return {Pick::Outcome::full};
  if (spec_.max_connections > 0 && !reserve_place(active_, spec_.max_connections))
    return {Pick::Outcome::full};
  const Cluster& cluster = this->cluster();
  const bool is_first = tried.is_empty();
  // A connection takes one turn, however many attempts it needs: if attempts took turns as well,
  // then with one of two endpoints down every connection would meet that one first.
  const Question question{.turn = is_first ? turn_.fetch_add(1, std::memory_order_relaxed) : turn(),
                          .key = key,
                          .now = now};
  for (;;) {
    const Pick pick = cluster.pick(question, tried);
    if (pick.outcome != Pick::Outcome::picked) {
      if (spec_.max_connections > 0) active_.fetch_sub(1, std::memory_order_seq_cst);
      // Who is first in line may have looked while this one held the place for nothing.
      if (!in_line) queue_.call_first();
      return {pick.outcome};
    }
    const Cluster::Endpoint& endpoint = cluster.endpoint(pick.index);
    // Another forwarder may have taken the last place since: then it is full, and picked no more.
    if (reserve_place(endpoint.live->active, endpoint.max_connections))
      return {pick.outcome, Lease{*this, *endpoint.live}};
  }
}

void Upstream::give_back(LiveRecord& endpoint) noexcept {
  endpoint.active.fetch_sub(1, std::memory_order_seq_cst);
  if (spec_.max_connections > 0) active_.fetch_sub(1, std::memory_order_seq_cst);
  queue_.call_first();
}

void Upstream::count_spare(LiveRecord& endpoint, int more) noexcept {
  spares_.fetch_add(more, std::memory_order_relaxed);
  endpoint.spare.fetch_add(static_cast<std::uint32_t>(more), std::memory_order_relaxed);
}

std::optional<SpareLease> Upstream::take_spare(LiveRecord& endpoint) noexcept {
  const std::uint32_t limit = endpoint.max_connections.load(std::memory_order_relaxed);
  if (queue_.length() > 0 || limit == 1 || spec_.max_connections == 1) return {};
  if (spec_.max_connections > 0 && !reserve_place(active_, spec_.max_connections / 2)) return {};
  if (reserve_place(endpoint.active, limit / 2)) return SpareLease{Lease{*this, endpoint}};
  if (spec_.max_connections > 0) active_.fetch_sub(1, std::memory_order_seq_cst);
  queue_.call_first();  // who is first in line may have looked meanwhile
  return {};
}

bool Upstream::is_short_of_places(const LiveRecord& endpoint) const noexcept {
  const auto beyond = [](const std::atomic<std::uint32_t>& taken, std::uint64_t most) {
    return most > 0 && 4 * std::uint64_t{taken.load(std::memory_order_relaxed)} > 3 * most;
  };
  return queue_.length() > 0 || beyond(active_, spec_.max_connections) ||
         beyond(endpoint.active, endpoint.max_connections.load(std::memory_order_relaxed));
}

void Upstream::note_speaks_first(LiveRecord& endpoint) noexcept {
  endpoint.speaks_first.store(true, std::memory_order_relaxed);
  stale_.store(true, std::memory_order_release);
}

void Upstream::note_failure(LiveRecord& endpoint, base::Instant now) noexcept {
  if (has_names_) doubt(now);
  // Without a sample the latency of who refuses would fade, until it seems to be the quickest.
  if (spec_.balance == Balance::peak_ewma) endpoint.latency.sample(spec_.connect.timeout, now);
  if (!spec_.outlier) return;
  const std::uint32_t failed = endpoint.failed_in_a_row.fetch_add(1, std::memory_order_relaxed) + 1;
  if (failed < spec_.outlier->consecutive_failures || endpoint.is_ejected()) return;
  if (!may_eject_one_more()) return;
  const base::Instant until =
      now + ejection_time(*spec_.outlier, endpoint,
                          endpoint.ejections_in_a_row.load(std::memory_order_relaxed));
  std::int64_t not_ejected = 0;
  if (!endpoint.ejected_until.compare_exchange_strong(not_ejected, until.time_since_epoch().count(),
                                                      std::memory_order_acq_rel)) {
    ejected_.fetch_sub(1, std::memory_order_relaxed);  // another forwarder was quicker
    return;
  }
  endpoint.ejections.fetch_add(1, std::memory_order_relaxed);
  endpoint.ejections_in_a_row.fetch_add(1, std::memory_order_relaxed);
  stale_.store(true, std::memory_order_release);
}

void Upstream::note_host_fault(LiveRecord& endpoint, ConnectFailure fault,
                               base::Instant now) noexcept {
  endpoint.host_fault.store(static_cast<std::uint8_t>(fault), std::memory_order_relaxed);
  endpoint.cut_off_until.store((now + host_fault_remembered).time_since_epoch().count(),
                               std::memory_order_relaxed);
  stale_.store(true, std::memory_order_release);
}

void Upstream::forget_host_fault(LiveRecord& endpoint) noexcept {
  endpoint.host_fault.store(LiveRecord::no_host_fault, std::memory_order_relaxed);
  endpoint.cut_off_until.store(0, std::memory_order_relaxed);
  stale_.store(true, std::memory_order_release);
  queue_.call_first();  // its places count again
}

bool Upstream::may_eject_one_more() noexcept {
  // Who cannot be gone to cannot stand in for the others.
  const auto& endpoints = cluster().endpoints();
  const auto count = std::count_if(endpoints.begin(), endpoints.end(), [](const auto& endpoint) {
    return !endpoint.live->known_host_fault();
  });
  if (count < 2) return false;
  // 29 % of 100 is 29, though the nearest binary fraction is a little less.
  constexpr double rounding = 1e-6;
  const double share = spec_.outlier->max_ejected * static_cast<double>(count);
  const auto most = static_cast<std::uint32_t>(share + rounding);
  if (most == 0) return false;
  return reserve_place(ejected_, most);
}

void Upstream::end_ejection(LiveRecord& endpoint) noexcept {
  if (endpoint.ejected_until.exchange(0, std::memory_order_acq_rel) != 0)
    ejected_.fetch_sub(1, std::memory_order_relaxed);
}

void Upstream::doubt(base::Instant now) noexcept {
  std::int64_t last = doubted_at_.load(std::memory_order_relaxed);
  const std::int64_t at = now.time_since_epoch().count();
  if (last != 0 && at - last < doubt_interval.count()) return;
  if (!doubted_at_.compare_exchange_strong(last, at, std::memory_order_relaxed)) return;
  is_doubted_.store(true, std::memory_order_release);
  stale_.store(true, std::memory_order_release);
}

std::unique_ptr<const Cluster> Upstream::publish(std::unique_ptr<const Cluster> next) noexcept {
  const Cluster* before = current_.exchange(next.release(), std::memory_order_acq_rel);
  queue_.call_first();  // there may be new places
  return std::unique_ptr<const Cluster>{before};
}

}  // namespace penstock::upstream

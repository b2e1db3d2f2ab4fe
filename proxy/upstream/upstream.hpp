#pragma once
// An upstream for as long as the server lives: its current snapshot, its turn, its places, its
// line.
//
// Owner    the Registry.
// Thread   any; publish() by control alone. A snapshot that a forwarder has got from cluster() is
//          good until that forwarder answers the next ping (see Registry::reclaim).
// Limits   max_connections of the upstream and of each endpoint hold exactly, between all
//          forwarders: a place is reserved by compare-and-swap before the attempt.

#include <atomic>
#include <memory>
#include <optional>

#include "base/limits.hpp"
#include "base/time.hpp"
#include "os/local_ports.hpp"
#include "upstream/cluster.hpp"
#include "upstream/lease.hpp"
#include "upstream/wait_queue.hpp"

namespace penstock::upstream {

class Upstream {
 public:
  // `stale` is set when a forwarder found something that the layout does not know yet.
  Upstream(const ClusterSpec& spec, std::size_t index, std::atomic<bool>& stale);
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  ~Upstream();

  // Where a connection goes, with its place taken there. The lease is held where it was picked.
  struct Taken {
    Pick::Outcome outcome = Pick::Outcome::nobody;
    Lease lease{};
  };
  // `in_line`: the first of those that wait; a newcomer gets `full` while somebody does.
  Taken take(std::uint64_t key, const Tried& tried, bool in_line, base::Instant now) noexcept;
  // A newcomer gets `full`, whatever the endpoints have free.
  bool is_full() const noexcept {
    const std::uint32_t limit = spec_.max_connections;
    return queue_.length() > 0 || (limit > 0 && active_.load(std::memory_order_relaxed) >= limit);
  }

  // --- for sockets that are kept ready ---
  // A place at an endpoint, while half of its places are free, and of the upstream's, and nobody
  // waits for one.
  std::optional<SpareLease> take_spare(LiveRecord& endpoint) noexcept;
  // Places that will be free within about a second, should somebody be short of them.
  bool has_spares() const noexcept { return spares_.load(std::memory_order_relaxed) > 0; }
  // More than three quarters are taken, or somebody waits.
  bool is_short_of_places(const LiveRecord& endpoint) const noexcept;
  // Bytes came on one. Control is told.
  void note_speaks_first(LiveRecord& endpoint) noexcept;

  // An attempt failed by the endpoint's fault, or a connection was reset before its first byte.
  void note_failure(LiveRecord& endpoint, base::Instant now) noexcept;
  // This host could not go there, as host_fault_from() has it: for a while others are picked first.
  void note_host_fault(LiveRecord& endpoint, ConnectFailure fault, base::Instant now) noexcept;
  // An attempt is under way.
  void note_way(LiveRecord& endpoint) noexcept {
    if (endpoint.known_host_fault()) forget_host_fault(endpoint);
  }
  // A socket that dials it may get the endpoint's port as its own.
  bool may_reach_itself(const LiveRecord& endpoint) const noexcept {
    return !endpoint.address.is_unix() &&
           local_ports_.load(std::memory_order_relaxed).has(endpoint.address.ip().port);
  }
  // Asked once a second, on a line that forwarders write: it is left alone where nothing changed.
  void set_local_ports(os::LocalPorts ports) noexcept {
    if (local_ports_.load(std::memory_order_relaxed) != ports)
      local_ports_.store(ports, std::memory_order_relaxed);
  }
  // Since the last look somebody failed whose name could be asked for again. At most once in
  // `doubt_interval`. Control alone.
  bool take_doubt() noexcept { return is_doubted_.exchange(false, std::memory_order_acq_rel); }
  static constexpr base::Duration doubt_interval = std::chrono::seconds{1};
  // The endpoint answered. While it is ejected, that was a connection of before.
  void note_success(LiveRecord& endpoint) noexcept {
    if (endpoint.failed_in_a_row.load(std::memory_order_relaxed) != 0 && !endpoint.is_ejected())
      endpoint.failed_in_a_row.store(0, std::memory_order_relaxed);
  }

  const Cluster& cluster() const noexcept { return *current_.load(std::memory_order_acquire); }
  // The snapshot before, which forwarders may still be looking at.
  std::unique_ptr<const Cluster> publish(std::unique_ptr<const Cluster> next) noexcept;

  // An ejection is over, or its endpoint has gone. Control alone.
  void end_ejection(LiveRecord& endpoint) noexcept;

  const std::string& name() const noexcept { return spec_.name; }
  std::size_t index() const noexcept { return index_; }
  const ClusterSpec& spec() const noexcept { return spec_; }
  WaitQueue& queue() noexcept { return queue_; }
  const WaitQueue& queue() const noexcept { return queue_; }
  // The turn of the next connection.
  std::uint64_t turn() const noexcept { return turn_.load(std::memory_order_relaxed); }

 private:
  friend class Lease;
  friend class SpareLease;
  void give_back(LiveRecord& endpoint) noexcept;
  void count_spare(LiveRecord& endpoint, int more) noexcept;
  bool may_eject_one_more() noexcept;
  void forget_host_fault(LiveRecord& endpoint) noexcept;
  void doubt(base::Instant now) noexcept;

  const ClusterSpec spec_;  // its endpoints are those of the start
  const std::size_t index_;
  std::atomic<const Cluster*> current_{nullptr};
  alignas(base::cache_line_bytes) std::atomic<std::uint64_t> turn_{0};
  std::atomic<std::uint32_t> active_{0};  // counted only under spec_.max_connections
  std::atomic<std::uint32_t> ejected_{0};
  std::atomic<os::LocalPorts> local_ports_{};  // until they are known: every port
  const bool has_names_;                       // that DNS resolves
  std::atomic<std::int64_t> doubted_at_{0};    // nanoseconds of the clock
  std::atomic<bool> is_doubted_{false};
  std::atomic<std::int32_t> spares_{0};  // kept ready at any endpoint
  std::atomic<bool>& stale_;
  WaitQueue queue_;
};

}  // namespace penstock::upstream

#pragma once
// All upstreams of a server: owns the live records, builds the snapshots, and frees those that
// nobody looks at any more.
//
// Owner    whoever runs a server; it outlives that. Thread: control, but for what an Upstream
//          offers to all.
// Life     of a snapshot: replaced by publish(), it is kept until every forwarder has answered a
//          ping that was sent afterwards, for between two answers a forwarder may hold it. Of a
//          record: kept after it vanished from its upstream until its last connection has ended
//          and it is forgotten (discovery says when, else after an hour), but never for less than
//          10 s: a session between two attempts, or a log record on its way, may point at it.
// Limits   of vanished records without connections `vanished_max` stay, those that went last.

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/time.hpp"
#include "os/address.hpp"
#include "upstream/upstream.hpp"

namespace penstock::upstream {

class Registry {
 public:
  static constexpr std::size_t vanished_max = base::endpoints_max;

  Registry(const std::vector<ClusterSpec>& specs, base::Instant now);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // nullptr where there is no upstream of that name.
  Upstream* find(const std::string& name) const noexcept;
  // In the order of the configuration.
  const std::vector<std::unique_ptr<Upstream>>& upstreams() const noexcept { return upstreams_; }

  // --- what changes while the proxy runs ---
  // Those that are new, and those that are gone. Who stays keeps everything: its record, its
  // state, its place in every hash table.
  struct Change {
    std::vector<LiveRecord*> added;
    std::vector<LiveRecord*> removed;  // on_remove acts now
    std::vector<LiveRecord*> left;     // on_remove acts once they are forgotten
    bool is_change = false;            // attributes may have changed as well
  };
  // Who is gone stays as it was until the time that `left` has for its address, and is then told
  // by refresh(); without one on_remove is to act at once. `slots` are those of these endpoints;
  // without them they are made here, which takes what are_quick_tables() says.
  using Left = std::map<os::SocketAddress, base::Instant>;
  Change replace_endpoints(Upstream& upstream, const std::vector<EndpointSpec>& endpoints,
                           base::Instant now, const Left& left = {},
                           std::shared_ptr<const SlotTables> slots = {});
  // What a check or an operator says. False where nothing changed.
  bool set_health(LiveRecord& endpoint, Health health, std::string why, base::Instant now);
  bool set_override(LiveRecord& endpoint, Override said, base::Instant now);
  // Ends ejections that are over, moves slow starts on, takes in what forwarders found, rebuilds
  // what changed. Answers with the endpoints whose shown state changed, those that this host can go
  // to no longer or again, those that were found to speak first, and when to call again
  // (base::never: when something happens).
  struct Refreshed {
    std::vector<LiveRecord*> changed;
    std::vector<LiveRecord*> reach_changed;
    std::vector<LiveRecord*> speaks_first;
    std::vector<LiveRecord*> forgotten;    // gone for so long that on_remove acts
    std::vector<const Upstream*> doubted;  // their names should be asked for again
    base::Instant next = base::never;
  };
  Refreshed refresh(base::Instant now);
  // Something waits for refresh(). Any thread.
  bool is_stale() const noexcept { return stale_.load(std::memory_order_relaxed); }

  // Before any thread waits for a place.
  void set_bell(QueueBell& bell) noexcept;
  // The next ping's number is `next_ping`; all forwarders have answered `answered`.
  void reclaim(std::uint64_t next_ping, std::uint64_t answered, base::Instant now);

  // Takes in what this host is like now: the ports that it gives to who dials.
  void look_at_host();

  // The flag behind is_stale(), for those who look often.
  const std::atomic<bool>& stale() const noexcept { return stale_; }

  // Records that vanished and still have connections, by the index of their upstream.
  std::vector<std::vector<const LiveRecord*>> leaving() const;

 private:
  struct Retired {
    std::unique_ptr<const Cluster> cluster;
    std::uint64_t free_after = 0;  // ping
  };

  LiveRecord& record_for(const std::string& upstream, const EndpointSpec& endpoint);
  void publish(Upstream& upstream, std::vector<Cluster::Endpoint> endpoints,
               std::shared_ptr<const SlotTables> slots, base::Instant now);
  void forget_the_vanished(base::Instant now);

  std::atomic<bool> stale_{false};
  std::vector<std::unique_ptr<Upstream>> upstreams_;
  std::map<std::string_view, Upstream*> by_name_;
  std::list<LiveRecord> records_;  // a list: addresses stay
  // By upstream, identity and address: one name that stands for another machine is another
  // endpoint.
  std::map<std::tuple<std::string, std::string, os::SocketAddress>, LiveRecord*> by_identity_;
  std::map<std::uint32_t, LiveRecord*> vanished_;  // of the records, by their numbers
  std::vector<std::vector<Candidate>> laid_out_;   // by upstream: what its layout was made from
  std::vector<Retired> retired_;
  std::uint32_t last_number_ = 0;
  std::uint64_t next_ping_ = 1;
};

}  // namespace penstock::upstream

#pragma once
// An upstream as the forwarders see it at one time: an immutable snapshot over live records, and
// the decision where a connection goes.
//
// Owner    the Upstream, which replaces it whole when something changes. Const after construction.
// Thread   any. A pick takes no lock and allocates nothing.
// Cost     round_robin, random_two, peak_ewma, source_hash, maglev: a few steps whatever the number
//          of endpoints, as long as those that it meets have a free place; first looks past those
//          that are full, least_connections past those that have a connection, but no further than
//          `looks_at_once` where one has a place.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "upstream/layout.hpp"
#include "upstream/live_record.hpp"
#include "upstream/slot_table.hpp"
#include "upstream/spec.hpp"
#include "upstream/tried.hpp"

namespace penstock::upstream {

// By priority: who stands there in the configuration, for source_hash and maglev.
using SlotTables = std::vector<std::pair<std::uint8_t, Slots>>;

// What a pick depends on beside the endpoints.
struct Question {
  std::uint64_t turn = 0;  // of the upstream; one per connection, however many attempts it needs
  std::uint64_t key = 0;   // the client's hash
  base::Instant now{};
};

// Where a connection goes.
struct Pick {
  enum class Outcome : std::uint8_t {
    picked,
    full,    // who would take it has no free place: wait for one
    nobody,  // no endpoint takes connections
  };
  Outcome outcome = Outcome::nobody;
  std::uint16_t index = 0;  // where it was picked
  std::uint32_t looks = 0;  // at endpoints, which is what it cost
};

class Cluster {
 public:
  struct Endpoint {
    LiveRecord* live;
    std::uint32_t weight;
    std::uint8_t priority;
    std::uint32_t max_connections;
    bool operator==(const Endpoint&) const = default;
  };

  Cluster(const ClusterSpec& spec, std::vector<Endpoint> endpoints, Layout layout,
          std::shared_ptr<const SlotTables> slots);

  // An endpoint that was not tried in this round, in the first tier that has one; else one that
  // was, for there is no other; else one that this host could not go to when it was asked last,
  // unless this connection has asked already or has met eight of them. Full endpoints do not send
  // new connections to a later tier, which is for those that fail: the first attempt waits instead.
  Pick pick(const Question& question, const Tried& tried) const noexcept;

  // Along which least_connections walks: all members of a tier, or, where they are more than
  // `looks_at_once`, the order of turns, for a part of that has its share of heavy ones.
  static constexpr std::size_t looks_at_once = 1024;
  static const std::vector<std::uint16_t>& line_of(const Tier& tier) noexcept {
    return tier.members.size() <= looks_at_once ? tier.members : tier.order;
  }

  const Endpoint& endpoint(std::uint16_t index) const noexcept { return endpoints_[index]; }
  const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }
  const Layout& layout() const noexcept { return layout_; }
  const std::shared_ptr<const SlotTables>& slots() const noexcept { return slots_; }
  Balance balance() const noexcept { return balance_; }
  bool uses_hash() const noexcept {
    return balance_ == Balance::source_hash || balance_ == Balance::maglev;
  }

 private:
  static constexpr std::uint16_t none = 0xffff;
  enum class Wanted : std::uint8_t { untried, tried, cut_off };
  struct Search;  // one walk through one tier

  Pick pick_by(Search& search) const noexcept;
  std::uint16_t pick_in_any(Search& search) const noexcept;
  std::uint16_t pick_in(std::size_t tier, Search& search) const noexcept;
  std::uint16_t next_in_turn(const Tier& tier, Search& search) const noexcept;
  std::uint16_t least_loaded(const Tier& tier, Search& search) const noexcept;
  std::uint16_t first_free(const Tier& tier, Search& search) const noexcept;
  std::uint16_t better_of_two(const Tier& tier, Search& search) const noexcept;
  std::uint16_t by_hash(std::size_t tier, Search& search) const noexcept;
  std::uint16_t rendezvous(const Tier& tier, Search& search) const noexcept;
  std::uint16_t drawn(const Tier& tier, std::uint64_t number, Search& search) const noexcept;
  bool is_eased_in(std::uint16_t index, std::uint64_t key) const noexcept;
  bool is_better(std::uint16_t one, std::uint16_t other, base::Instant now) const noexcept;
  double latency_cost(std::uint16_t index, base::Instant now) const noexcept;

  const Balance balance_;
  const std::vector<Endpoint> endpoints_;
  const Layout layout_;
  const std::shared_ptr<const SlotTables> slots_;  // empty unless uses_hash()
  std::vector<const Slots*> slots_of_tier_;
};

// Slot tables for a balancer that hashes, else empty. Thread: any.
std::shared_ptr<const SlotTables> make_slot_tables(Balance balance,
                                                   const std::vector<EndpointSpec>& endpoints);
// Those of so many endpoints are made in a few milliseconds; else in up to a fifth of a second.
bool are_quick_tables(Balance balance, std::size_t endpoints) noexcept;

}  // namespace penstock::upstream

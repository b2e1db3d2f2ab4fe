#pragma once
// An upstream as the forwarders see it: an immutable snapshot over live records.
//
// Owner    shared, const after construction.
// Thread   any. A pick takes no lock and allocates nothing: it advances one atomic cursor, shared
//          by all forwarders, so that two equal endpoints give A, B, A, B whatever the number of
//          forwarders.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "upstream/live_record.hpp"
#include "upstream/spec.hpp"

namespace penstock::upstream {

// The endpoints that one connection has tried already, as indices into the cluster.
class Tried {
 public:
  void add(std::uint16_t index) noexcept { indices_[count_++] = index; }
  bool has(std::uint16_t index) const noexcept {
    for (std::uint8_t i = 0; i < count_; ++i)
      if (indices_[i] == index) return true;
    return false;
  }
  std::uint8_t count() const noexcept { return count_; }

 private:
  std::array<std::uint16_t, base::connect_attempts_max> indices_{};
  std::uint8_t count_ = 0;
};

class Cluster {
 public:
  static constexpr std::uint16_t none = 0xffff;

  struct Endpoint {
    LiveRecord* live;
    std::uint32_t weight;
  };

  // `cursor` outlives the snapshot: the next one goes on where this one stopped.
  Cluster(ClusterSpec spec, std::vector<LiveRecord*> live,
          std::shared_ptr<std::atomic<std::uint64_t>> cursor);

  // The endpoint for the next attempt: one that was not tried yet where there is one, else one that
  // was; `none` where no endpoint takes new connections (all weights are 0).
  std::uint16_t pick(const Tried& tried) const noexcept;

  const Endpoint& endpoint(std::uint16_t index) const noexcept { return endpoints_[index]; }
  const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }
  const std::string& name() const noexcept { return spec_.name; }
  const ConnectOptions& connect() const noexcept { return spec_.connect; }
  Balance balance() const noexcept { return spec_.balance; }

 private:
  template <class Allowed>
  std::uint16_t pick_among(std::uint64_t turn, Allowed&& allowed) const noexcept;
  template <class Allowed>
  std::uint16_t next_in_turn(std::uint64_t turn, Allowed&& allowed) const noexcept;
  template <class Allowed>
  std::uint16_t least_loaded(std::uint64_t turn, Allowed&& allowed) const noexcept;

  const ClusterSpec spec_;
  std::vector<Endpoint> endpoints_;
  std::vector<std::uint16_t> order_;       // of the smooth weighted round robin
  std::vector<std::uint16_t> candidates_;  // endpoints whose weight is not 0
  std::shared_ptr<std::atomic<std::uint64_t>> cursor_;
};

}  // namespace penstock::upstream

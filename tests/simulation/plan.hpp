#pragma once
// What a seed decides once, and what came about.

#include <array>
#include <cstdint>

#include "relay/counters.hpp"
#include "relay/options.hpp"
#include "session/close_reason.hpp"
#include "session/options.hpp"
#include "simulation/kernel.hpp"

namespace penstock::simulation {

// What a seed decides once.
struct Plan {
  static constexpr std::size_t endpoints = 3;

  std::size_t connections = 1;
  std::uint64_t turns = 0;  // of the world before it heals
  std::uint64_t bytes_max = 0;
  std::uint32_t piece_max = 64 * 1024;  // what arrives at once
  relay::Options relay;
  session::Timeouts timeouts;
  Kernel::Conditions conditions;
  bool resets = false;          // peers may reset, vanish, refuse
  bool short_timeouts = false;  // so that they end connections
  bool jumps = false;           // the process may stand still for seconds
  bool drains = false;
  bool pings = false;          // control asks once a second, and so stalls are looked for
  std::uint32_t places = 0;    // at each endpoint; who finds none waits in line; 0 = no limit
  base::Duration patience{0};  // in line; 0 = without end
  // By endpoint: the errno with which connect() says at once that this host cannot go there; 0 = it
  // can, which holds for one endpoint at least.
  std::array<int, endpoints> cut_off{};
  int ready = 0;                // sockets that are kept connected to each endpoint
  bool unix_endpoints = false;  // whose queues are full for a while, now and then
  bool crowd = false;           // more sockets are ready, at any time, than one wait can tell of
  base::Instant start{};
};
Plan plan_from(Random& random);
// For clients of a static listener: no endpoints, no crowd, and a drain in every other run.
Plan plan_for_files(Random& random);

// What came about, for the summary.
struct Tally {
  std::uint64_t connections = 0;
  std::uint64_t steps = 0;
  std::array<std::uint64_t, relay::engine_names.size()> bytes{};
  std::array<std::uint64_t, session::close_reason_names.size()> reasons{};

  Tally& operator+=(const Tally& other) noexcept;
};

}  // namespace penstock::simulation

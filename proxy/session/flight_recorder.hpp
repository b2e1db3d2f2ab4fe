#pragma once
// The last moments of a connection: what the poller said, what each direction did, what failed.
//
// A connection that is active carries a recorder, leased from the forwarder's pool; one that rests
// gives it back (ProxySession::looks_stalled), so that an idle connection pays nothing. The trace
// is told where a connection stalled.
//
// Owner    the pool, one per forwarder. Thread: the forwarder's own.
// Limits   16 events each; base::flight_recorders_max recorders: who finds none is not traced.
// Time     of the wake-up that an event belongs to: no clock is read for it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "base/enum_names.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"
#include "os/poller.hpp"
#include "relay/direction.hpp"

namespace penstock::session {

struct FlightEvent {
  enum class Kind : std::uint8_t {
    connecting,      // an attempt began
    connect_failed,  // with `error`
    connected,       // the upstream answered
    ready,           // the poller spoke of side `which`
    ran,             // direction `which` gave `bytes` to its target, and stopped for `outcome`
    timer,           // the session's timer fired
    aborting,        // it ends by a reset
    resumed,         // it had stalled, and goes on
  };
  // Of the monotonic clock, modulo 2^32 (71 minutes): only differences count, and who rests that
  // long has given its recorder back.
  std::uint32_t microseconds = 0;
  std::uint32_t bytes = 0;
  std::int16_t error = 0;
  Kind kind : 3 = Kind::connecting;
  std::uint8_t which : 1 = 0;
  relay::Outcome outcome : 3 = relay::Outcome::source_empty;
  os::Readiness ready{};
};
static_assert(sizeof(FlightEvent) == 12, "every active connection has sixteen of them");
static_assert(relay::outcome_names.size() <= 8, "an outcome has three bits");

std::uint32_t flight_microseconds(base::Instant at) noexcept;

class FlightRecorder {
 public:
  static constexpr std::size_t events_max = 16;
  using Events = std::array<FlightEvent, events_max>;

  void add(const FlightEvent& event) noexcept {
    events_[count_ % events_max] = event;
    if (++count_ == 2 * events_max) count_ = events_max;
  }
  void clear() noexcept { count_ = 0; }
  // Copies them, oldest first; answers how many there are.
  std::size_t copy_to(Events& out) const noexcept;

 private:
  Events events_{};
  std::uint32_t count_ = 0;  // since it was leased, kept below twice events_max
};

class FlightRecorders {
 public:
  static constexpr std::uint16_t none = 0xffff;

  // Throws std::bad_alloc (start-up only). Memory that was never leased is never touched.
  explicit FlightRecorders(std::pmr::memory_resource& memory);
  FlightRecorders(const FlightRecorders&) = delete;
  FlightRecorders& operator=(const FlightRecorders&) = delete;
  ~FlightRecorders();

  // `none` where all are in use. A leased one is empty.
  std::uint16_t lease() noexcept;
  void give_back(std::uint16_t index) noexcept;
  FlightRecorder& at(std::uint16_t index) noexcept { return recorders_[index]; }
  std::size_t leased() const noexcept { return touched_ - free_.size(); }

 private:
  std::pmr::memory_resource& memory_;
  FlightRecorder* const recorders_;
  std::pmr::vector<std::uint16_t> free_;  // last in, first out: a warm one comes back
  std::size_t touched_ = 0;               // those before it were leased once
};

static_assert(base::flight_recorders_max < FlightRecorders::none);

}  // namespace penstock::session

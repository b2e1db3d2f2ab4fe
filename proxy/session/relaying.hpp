#pragma once
// Relaying: both directions of a connection whose two sides stand, and how it is aborted: what was
// taken is given, as long as abort_linger allows, and then comes RST.
//
// Owner    the ProxySession, from an endpoint's answer to the end. Thread: the forwarder's own.
// Limits   a budget of bytes per run (relay/direction); abort_linger.
// Errors   a failed side says so: the session then aborts.
// Files    relaying.cpp; relaying_abort.cpp; relaying_stall.cpp: asleep with work to do?

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/moment.hpp"
#include "base/time.hpp"
#include "os/poller.hpp"
#include "relay/direction.hpp"
#include "session/linger.hpp"
#include "session/proxied.hpp"
#include "session/record.hpp"

namespace penstock::session {

class Relaying {
 public:
  // How a run ended, and who acts next.
  enum class Outcome : std::uint8_t {
    waits,     // for an event or its timer
    hungry,    // run again, after the others had their turn
    starved,   // for a held buffer
    failed,    // a side did: abort
    complete,  // both directions have ended with FIN
    aborted,   // nobody is owed a byte any more, or abort_linger has passed: end it by RST
  };

  // Its endpoint's side stands since `stood`.
  Relaying(const Proxied& connection, base::Instant stood, base::Instant now) noexcept;
  Relaying(const Relaying&) = delete;
  Relaying& operator=(const Relaying&) = delete;

  Outcome run(Proxied& connection, Context& context) noexcept;
  // An error of a side's socket was none: its queue may have notices of sends without a copy.
  void take_notices(unsigned side, Proxied& connection, Context& context) noexcept;

  // --- relaying_abort.cpp ---
  // From now on run_aborting() takes the place of run(), for the connection's `reason`.
  void begin_abort(Proxied& connection, Context& context) noexcept;
  Outcome run_aborting(Proxied& connection, Context& context) noexcept;
  // Drops what is held, before the sides are closed and the record is filled in.
  void discard(Proxied& connection, Context& context) noexcept;
  // The last call, with the record's figures.
  void end(Record& record, Context& context) noexcept;

  // --- what the session says of itself ---
  bool is_bulk() const noexcept { return directions_[0].splices() || directions_[1].splices(); }
  bool is_half_closed() const noexcept;
  bool is_at_rest(const Proxied& connection) const noexcept;

  // --- relaying_stall.cpp ---
  using Ready = std::array<os::Readiness, 2>;  // by side
  static Ready ready_now(const Proxied& connection) noexcept;
  std::optional<std::uint64_t> looks_stalled(Proxied& connection, Context& context) noexcept;
  // Tells control of it.
  void report_stall(const Ready& ready, Proxied& connection, Context& context) const noexcept;

 private:
  // Four bytes, and exact to one part in sixteen million.
  using Span = std::chrono::duration<float>;
  static constexpr Span none_came{-1};

  void account(unsigned direction, std::size_t bytes, Proxied& connection,
               Context& context) noexcept;
  bool has_first_byte() const noexcept { return first_byte_ != none_came; }
  bool wrote_once(const relay::Direction::Run& run) const noexcept;
  bool owes_bytes_to(unsigned side, const Proxied& connection) const noexcept;
  bool could_move(unsigned direction, const Ready& ready, const Proxied& connection) const noexcept;
  void note_moved(unsigned direction, base::Instant now) noexcept;
  base::Duration quiet(unsigned direction, base::Instant now) const noexcept;

  std::array<relay::Direction, 2> directions_;
  const Span connect_time_;  // from accept until the endpoint's side stood
  Span first_byte_ = none_came;
  Linger linger_;
  std::array<base::Moment, 2> moved_;  // of the last byte in each direction
};

}  // namespace penstock::session

#pragma once
// What a proxied connection has in every phase: its two sides, its place at an endpoint, how it
// came there, its trace. Its phases work on it (session/connecting, session/relaying); ProxySession
// is one, and leads it from one phase to the next.
//
// Owner    the SessionTable. Thread: the forwarder's own.

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "os/poller.hpp"
#include "relay/direction.hpp"
#include "relay/side.hpp"
#include "session/ending.hpp"
#include "session/flight_recorder.hpp"
#include "session/standing_session.hpp"
#include "upstream/lease.hpp"
#include "upstream/live_record.hpp"
#include "upstream/tried.hpp"
#include "upstream/upstream.hpp"

namespace penstock::session {

class Proxied : public StandingSession {
 public:
  static constexpr unsigned client = 0;
  static constexpr unsigned upstream = 1;

  using StandingSession::StandingSession;

  using Session::last_activity_;
  using Session::token;
  using StandingSession::arm_deadlines;
  using StandingSession::note_activity;
  using StandingSession::timeouts;

  upstream::Upstream& to() const noexcept { return *arrival_.listener->upstream; }
  // Where it may go; `in_line`: the first of those that wait.
  upstream::Upstream::Taken take_place(const upstream::Tried& tried, bool in_line,
                                       base::Instant now) noexcept;
  // REQUIRES: a place was taken since it was queued last.
  upstream::LiveRecord& endpoint() const noexcept { return *lease.endpoint(); }
  void count_failure(upstream::ConnectFailure failure) noexcept;
  // Towards the upstream, where no_delay asks for it; once.
  void end_delay() noexcept;
  // The upstream's, with a socket that dials its endpoint or stands there.
  void begin_side(int socket) noexcept;
  void close_side(unsigned side, Ending ending, Context& context) noexcept;
  // REQUIRES: a side has failed.
  CloseReason failure_reason() const noexcept;

  void trace(FlightEvent::Kind kind, int error, Context& context) noexcept;
  void trace_ready(unsigned side, os::Readiness ready, Context& context) noexcept;
  void trace_run(unsigned direction, const relay::Direction::Run& run, Context& context) noexcept;
  std::size_t copy_trace(FlightRecorder::Events& out, Context& context) const noexcept;
  void end_trace(Context& context) noexcept;

  upstream::Lease lease;  // from before an attempt; afterwards its endpoint is that of the last one
  // By side. Direction d leads from side d to the other: 0 = to_upstream, 1 = to_client.
  std::array<relay::Side, 2> sides;

  upstream::ConnectFailure last_failure{};  // where one has failed
  std::uint8_t attempts = 0;
  // Why it will end: of the last attempt that failed, and while it aborts.
  CloseReason reason = CloseReason::internal;
  bool has_failed : 1 = false;  // an attempt
  // Towards the upstream; clients inherit both from the listener.
  bool keepalive_is_on : 1 = false;
  bool no_delay_is_on : 1 = false;

 private:
  FlightRecorder* recorder(Context& context) noexcept;

  std::uint16_t recorder_ = FlightRecorders::none;
};

}  // namespace penstock::session

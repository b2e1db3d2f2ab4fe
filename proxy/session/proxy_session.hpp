#pragma once
// A proxied connection: admit, connect, relay, end.
//
//   phase        waits for                          leaves for
//   ------------ ---------------------------------- -------------------------------------------
//   queued       a free place at an endpoint        connecting, the end
//   connecting   the upstream socket, the timeout   relaying, connecting again, queued, pausing,
//                                                   the end
//   pausing      its timer, when every endpoint      connecting, queued, the end
//                has failed or has a full queue
//   relaying     events, the timer                  the end (complete), aborting
//   aborting     what was taken to go out, or       the end, by RST
//                abort_linger
//
// Owner    the SessionTable. Thread: the forwarder's own.
// Limits   base::connect_attempts_max; every wait has a deadline, in one timer.
// Errors   every end has a CloseReason. RST is never disguised as FIN: docs/RELAY.md, "Aborts".

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "os/poller.hpp"
#include "relay/direction.hpp"
#include "relay/side.hpp"
#include "session/flight_recorder.hpp"
#include "session/record.hpp"
#include "session/standing_session.hpp"
#include "upstream/lease.hpp"
#include "upstream/tried.hpp"
#include "upstream/upstream.hpp"
#include "upstream/wait_queue.hpp"

namespace penstock::session {

class ProxySession final : public StandingSession {
 public:
  using StandingSession::StandingSession;
  ~ProxySession() override;

  Next start(Context& context) noexcept override;
  void note(unsigned side, const os::Event& event, Context& context) noexcept override;
  Next run(Context& context) noexcept override;
  Next expired(Context& context) noexcept override;
  void begin_drain(base::Instant turn, Context& context) noexcept override;
  Next slot_available(Context& context) noexcept override;
  Next leave(const EndpointRemoval& removal, Context& context) noexcept override;
  void cut(Context& context) noexcept override;
  std::optional<std::uint64_t> looks_stalled(Context& context) noexcept override;
  void resume_stalled(Context& context) noexcept override;

 private:
  enum class Phase : std::uint8_t { queued, connecting, pausing, relaying, aborting, ended };
  enum class Ending : std::uint8_t { fin, reset };
  static constexpr unsigned client = 0;
  static constexpr unsigned upstream = 1;

  // proxy_connecting.cpp
  Next next_attempt(Context& context) noexcept;
  bool attempt(Context& context) noexcept;
  bool is_no_attempt(int error, Context& context) noexcept;
  void note_failed(int error, Context& context) noexcept;
  void count_failure(upstream::ConnectFailure failure) noexcept;
  Next attempt_failed(int error, Context& context) noexcept;
  Next pause_for_next_round(Context& context) noexcept;
  Next pause(base::Duration length, Context& context) noexcept;
  Next run_connecting(Context& context) noexcept;
  Next connected(Context& context) noexcept;
  Next no_more_attempts(Context& context) noexcept;
  upstream::Upstream::Taken take_place(bool in_line, Context& context) noexcept;
  void begin_budget(Context& context) noexcept;

  // proxy_queued.cpp
  Next wait_in_line(Context& context) noexcept;
  void leave_line() noexcept;

  // proxy_relaying.cpp
  Next run_relaying(Context& context) noexcept;
  void account(unsigned direction, std::size_t bytes, Context& context) noexcept;
  CloseReason failure_reason() const noexcept;
  bool holds_bytes() const noexcept;
  bool is_half_closed() const noexcept override;
  bool is_at_rest() const noexcept override;
  std::optional<CloseReason> drained_for(const Context& context) const noexcept override;
  base::Instant own_deadline() const noexcept override;
  bool check_peers(Context& context) noexcept override;
  Next end_by_fin(CloseReason reason, Context& context) noexcept override;
  Next end_in_time(CloseReason reason, Context& context) noexcept override;

  // proxy_aborting.cpp
  Next begin_abort(CloseReason reason, Context& context) noexcept;
  Next run_aborting(Context& context) noexcept;
  bool owes_bytes_to(unsigned side) const noexcept;

  // proxy_trace.cpp
  FlightRecorder* recorder(Context& context) noexcept;
  void trace(FlightEvent::Kind kind, int error, Context& context) noexcept;
  void trace_ready(unsigned side, os::Readiness ready, Context& context) noexcept;
  void trace_run(unsigned direction, const relay::Direction::Run& run, Context& context) noexcept;
  void end_trace(Context& context) noexcept;
  bool could_move(unsigned direction, const std::array<os::Readiness, 2>& ready) const noexcept;
  void note_moved(unsigned direction, base::Instant now) noexcept;
  base::Duration quiet(unsigned direction, base::Instant now) const noexcept;

  // proxy_session.cpp
  Next finish(CloseReason reason, Ending ending, Context& context) noexcept;
  void close_side(unsigned side, Ending ending, Context& context) noexcept;
  void fill_record(Record& record, Context& context) noexcept;
  void fill_tried(Record& record) const noexcept;

  upstream::Upstream& to() const noexcept { return *arrival_.listener->upstream; }
  // REQUIRES: a place was taken since it was queued last.
  upstream::LiveRecord& endpoint() const noexcept { return *lease_.endpoint(); }
  base::Instant drain_deadline() const noexcept;

  // Indexed by side. Direction d leads from side d to the other: 0 = to_upstream, 1 = to_client.
  std::array<relay::Side, 2> sides_;
  std::array<relay::Direction, 2> directions_;

  upstream::Lease lease_;                    // from before an attempt: of the last one
  base::Instant connect_end_ = base::never;  // of all attempts together
  upstream::WaitQueue::Ticket ticket_ = 0;   // of the line, while queued
  base::Duration connect_time_ = Record::unknown;
  base::Duration first_byte_ = Record::unknown;
  // Of the last byte in each direction, in milliseconds modulo 2^32: only differences count.
  std::array<std::uint32_t, 2> moved_milliseconds_{};
  std::uint16_t recorder_ = FlightRecorders::none;
  upstream::Tried tried_;
  std::optional<upstream::ConnectFailure> last_failure_;
  std::uint8_t attempts_ = 0;
  std::uint8_t rounds_ = 0;  // in which every endpoint failed, as far as they lengthen the pause
  Phase phase_ = Phase::connecting;
  CloseReason reason_ = CloseReason::internal;
  bool waits_for_backlog_ = false;  // of the last endpoint, a unix socket
  bool keepalive_on_ = false;       // towards the upstream; clients inherit it from the listener
};

}  // namespace penstock::session

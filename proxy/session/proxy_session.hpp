#pragma once
// A proxied connection: admit, connect, relay, end.
//
//   phase        waits for                           leaves for
//   ------------ ----------------------------------- ------------------------------------------
//   connecting   an answer, a place at an endpoint,  relaying, the end
//                a pause: see session/connecting
//   relaying     events, the timer                   the end (complete), aborting
//   aborting     what was taken to go out, or        the end, by RST
//                abort_linger
//
// Owner    the SessionTable. Thread: the forwarder's own.
// Limits   base::connect_attempts_max; every wait has a deadline, in one timer.
// Errors   every end has a CloseReason. RST is never disguised as FIN: docs/RELAY.md, "Aborts".

#include <cstdint>
#include <memory>
#include <optional>

#include "base/time.hpp"
#include "os/poller.hpp"
#include "session/connecting.hpp"
#include "session/proxied.hpp"
#include "session/record.hpp"
#include "session/relaying.hpp"

namespace penstock::session {

class ProxySession final : public Proxied {
 public:
  explicit ProxySession(const Arrival& arrival) noexcept : Proxied{arrival}, connecting_{} {}
  ~ProxySession() override;

  Next start(Context& context) noexcept override;
  void note(unsigned side, const os::Event& event, Context& context) noexcept override;
  Next run(Context& context) noexcept override;
  Next expired(Context& context) noexcept override;
  void begin_drain(base::Instant turn, Context& context) noexcept override;
  Next slot_available(Context& context) noexcept override;
  Next leave(const EndpointRemovals& removals, base::Instant turn,
             Context& context) noexcept override;
  void cut(Context& context) noexcept override;
  std::optional<std::uint64_t> looks_stalled(Context& context) noexcept override;
  void resume_stalled(Context& context) noexcept override;

 private:
  enum class Phase : std::uint8_t { connecting, relaying, aborting, ended };

  // What its phases answer.
  Next follow(Connecting::Outcome outcome, Context& context) noexcept;
  Next follow(Relaying::Outcome outcome, Context& context) noexcept;
  Next begin_relaying(Context& context) noexcept;
  Next run_relaying(Context& context) noexcept;
  Next begin_abort(CloseReason why, Context& context) noexcept;

  // proxy_standing.cpp: what it says of itself as a connection that stands.
  bool is_half_closed() const noexcept override { return relaying_.is_half_closed(); }
  bool is_at_rest() const noexcept override { return relaying_.is_at_rest(*this); }
  std::optional<CloseReason> drained_for(const Context& context) const noexcept override;
  base::Instant own_deadline() const noexcept override { return drain_deadline(); }
  bool check_peers(Context& context) noexcept override;
  Next end_by_fin(CloseReason why, Context& context) noexcept override;
  Next end_in_time(CloseReason why, Context& context) noexcept override;
  base::Instant drain_deadline() const noexcept;

  // proxy_end.cpp
  Next finish(CloseReason why, Ending ending, Context& context) noexcept;
  void fill_record(Record& record, Context& context) noexcept;
  // Connecting is over: what it tried is kept for the record, where that is to name it.
  void keep_tried() noexcept;
  void fill_tried(Record& record) const noexcept;

  bool stands() const noexcept { return phase_ == Phase::relaying || phase_ == Phase::aborting; }

  Phase phase_ = Phase::connecting;
  std::unique_ptr<const upstream::Tried> tried_;  // where more than one was
  // Of its phase alone. The tag stands apart from it, where std::variant would take eight bytes of
  // every connection for one.
  union {
    Connecting connecting_;
    Relaying relaying_;  // while relaying and aborting
  };
};

}  // namespace penstock::session

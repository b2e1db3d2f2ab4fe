#pragma once
// A connection that stands, proxied or static, and what ends it in time.
//
//   what has passed                                   reason              how
//   ------------------------------------------------- ------------------- ----------------------
//   its turn in a drain, once it has rested a second  drain               FIN
//   max_lifetime since it was accepted                max_lifetime        see end_in_time()
//   idle_timeout without a byte                       idle_timeout        likewise
//   half_close_timeout after one direction ended      half_close_timeout  likewise
//   peer_timeout without a sign of life of a peer     peer_timeout        likewise
//
// All of them share one timer, which is not moved for every byte: it finds out when it fires.
//
// Owner    the SessionTable. Thread: the forwarder's own.

#include <array>
#include <optional>

#include "base/moment.hpp"
#include "base/time.hpp"
#include "session/options.hpp"
#include "session/peer_watch.hpp"
#include "session/session.hpp"

namespace penstock::session {

class StandingSession : public Session {
 public:
  using Session::Session;

 protected:
  // --- what the kinds differ in ---
  // One direction has ended: half_close_timeout holds.
  virtual bool is_half_closed() const noexcept = 0;
  // Nothing is under way, so that FIN cuts nothing off. Asked of one that has rested.
  virtual bool is_at_rest() const noexcept = 0;
  // The reason for which it takes turns in a drain; none: it does not any more.
  virtual std::optional<CloseReason> drained_for(const Context& context) const noexcept;
  // A deadline that only this kind has.
  virtual base::Instant own_deadline() const noexcept = 0;
  // False where a peer is dead.
  virtual bool check_peers(Context& context) noexcept = 0;
  virtual Next end_by_fin(CloseReason reason, Context& context) noexcept = 0;
  // One of its deadlines has passed.
  virtual Next end_in_time(CloseReason reason, Context& context) noexcept = 0;

  // --- what they share ---
  void note_activity(Context& context) noexcept;
  void arm_deadlines(Context& context) noexcept;
  Next check_deadlines(Context& context) noexcept;
  // The side whose peer is dead; a socket of -1 has none.
  std::optional<unsigned> find_dead_peer(const std::array<int, 2>& sockets,
                                         Context& context) noexcept;
  const Timeouts& timeouts() const noexcept { return arrival_.listener->options.timeouts; }

  base::Moment look_at_peers_;  // when that is done (again)
  base::Moment drain_turn_;

 private:
  Next check_drain(Context& context) noexcept;
  base::Instant idle_deadline() const noexcept;
  base::Instant lifetime_deadline() const noexcept;

  std::array<PeerWatch, 2> watches_;
};

}  // namespace penstock::session

#pragma once
// Connecting: attempts on one endpoint after another, within one budget, until one of them stands.
//
//   state     waits for                              leaves for
//   --------- -------------------------------------- -----------------------------------------
//   asking    an answer to the attempt, or           connected; asking another, queued, pausing,
//             attempt_end_                           failed
//   holding   the first word of either side, on a    connected; asking, where the socket has ended
//             socket that was kept ready, or         meanwhile
//             attempt_end_
//   queued    a place at an endpoint, or queue_end_  asking, pausing, failed
//   pausing   pause_end_, when every endpoint has    asking, queued, failed
//             failed or has a full queue
//
// Nothing of the client is read before one stands, so no attempt can make an endpoint see bytes
// twice.
//
// Owner    the ProxySession, until it relays or ends. Thread: the forwarder's own.
// Limits   base::connect_attempts_max; every wait has a deadline, and all are in the budget but the
//          one for a place.
// Files    connecting.cpp: rounds and pauses; connecting_attempt.cpp; connecting_ready.cpp;
//          connecting_queue.cpp.

#include <cstdint>

#include "base/time.hpp"
#include "session/proxied.hpp"
#include "upstream/tried.hpp"
#include "upstream/upstream.hpp"
#include "upstream/wait_queue.hpp"

namespace penstock::session {

class Connecting {
 public:
  // How a step ended, and who acts next.
  enum class Outcome : std::uint8_t {
    waits,      // for what its state says; its timer is armed
    connected,  // the upstream's side stands: relay
    failed,     // for the connection's `reason`: end it by RST
  };

  Outcome next_attempt(Proxied& connection, Context& context) noexcept;
  // The poller said something of the upstream's side.
  Outcome run(Proxied& connection, Context& context) noexcept;
  // Its timer has fired.
  Outcome expired(Proxied& connection, Context& context) noexcept;
  // Where it is queued: a place may be free.
  Outcome slot_available(Proxied& connection, Context& context) noexcept;
  // The endpoint of the attempt goes away at once.
  Outcome endpoint_leaves(CloseReason reason, Proxied& connection, Context& context) noexcept;
  // Where it holds a socket that was kept ready: that counts as a connection from now on.
  Outcome stop_holding(Proxied& connection, Context& context) noexcept;
  // The last call, where it ends otherwise than connected.
  void leave_queue(Proxied& connection) noexcept;

  // An attempt is under way: an error of the upstream's socket is the answer to it.
  bool is_asking() const noexcept { return state_ == State::asking; }
  // By a socket that was kept ready, on which nobody has said a word yet.
  bool is_holding() const noexcept { return state_ == State::holding; }
  const upstream::Tried& tried() const noexcept { return tried_; }
  // Connected: since when the endpoint's side stands.
  base::Instant stood() const noexcept { return stood_; }
  void note_error() noexcept { bears_error_ = true; }  // the poller said that there is one
  void arm(Proxied& connection, Context& context) const noexcept;

 private:
  enum class State : std::uint8_t { asking, holding, queued, pausing };

  // connecting.cpp
  void begin_budget(const Proxied& connection, base::Instant now) noexcept;
  Outcome pause_for_next_round(Proxied& connection, Context& context) noexcept;
  Outcome pause(base::Duration length, Proxied& connection, Context& context) noexcept;
  Outcome no_more_attempts(Proxied& connection, Context& context) noexcept;
  base::Instant deadline() const noexcept;

  // connecting_attempt.cpp
  bool attempt(Proxied& connection, Context& context) noexcept;
  bool is_no_attempt(int error, Proxied& connection, Context& context) noexcept;
  void count_attempt(Proxied& connection, Context& context) noexcept;
  int connect_result(const Proxied& connection) const noexcept;
  void note_failed(int error, Proxied& connection, Context& context) noexcept;
  Outcome attempt_failed(int error, Proxied& connection, Context& context) noexcept;
  Outcome connected(Proxied& connection, Context& context) noexcept;

  // connecting_ready.cpp
  bool hold_ready(Proxied& connection, Context& context) noexcept;
  Outcome hold(Proxied& connection, Context& context) noexcept;
  Outcome dial_instead(Proxied& connection, Context& context) noexcept;
  // It cost nothing of the budget.
  void credit_holding(base::Instant now) noexcept;

  // connecting_queue.cpp
  Outcome wait_in_line(Proxied& connection, Context& context) noexcept;

  base::Instant budget_end_ = base::never;   // of all attempts together
  base::Instant attempt_end_ = base::never;  // of the one under way; while holding: of that
  base::Instant stood_{};
  base::Instant queue_end_ = base::never;
  base::Instant pause_end_ = base::never;
  upstream::WaitQueue::Ticket ticket_ = 0;  // while queued
  upstream::Tried tried_;
  std::uint8_t rounds_ = 0;  // in which every endpoint failed, as far as they lengthen the pause
  State state_ = State::asking;
  bool waits_for_backlog_ = false;   // of the last endpoint, a unix socket
  bool bears_error_ = false;         // the socket of the attempt
  std::uint8_t asked_for_room_ = 0;  // while sockets that are kept ready hold the places
};

}  // namespace penstock::session

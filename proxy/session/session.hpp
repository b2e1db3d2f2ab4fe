#pragma once
// One connection from its arrival to its end: the common face of proxied and static ones.
//
// Owner    the forwarder's SessionTable. Thread: the forwarder's own.
// Life     created with an Arrival; start() once; then run() whenever an event, a timer or the
//          ready list says so, until it answers `ended`. The forwarder then destroys it.

#include <algorithm>
#include <boost/intrusive/list_hook.hpp>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "base/timer_wheel.hpp"
#include "os/poller.hpp"
#include "session/close_reason.hpp"
#include "session/endpoint_removals.hpp"
#include "session/listener.hpp"

namespace penstock::session {

struct Context;

// What a session waits for, and who acts next.
enum class Next : std::uint8_t {
  wait,     // an event or its timer
  hungry,   // nothing: it has more to do, after the others had their turn
  starved,  // a held buffer
  ended,    // nothing any more: destroy it
};

// The hook unlinks itself, so that a session can end while it stands in a list.
using ListHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class Session : public base::Timer, public ListHook {
 public:
  explicit Session(const Arrival& arrival) noexcept : arrival_{arrival} {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  virtual Next start(Context& context) noexcept = 0;
  // Notes what the poller said of side 0 (client) or 1 (upstream); run() follows.
  virtual void note(unsigned side, const os::Event& event, Context& context) noexcept = 0;
  virtual Next run(Context& context) noexcept = 0;
  virtual Next expired(Context& context) noexcept = 0;
  // A drain runs until Context::drain_deadline: from `turn` on it ends by FIN when it is idle.
  virtual void begin_drain(base::Instant turn, Context& context) noexcept = 0;
  // It waits for a place at an endpoint, and one may be free.
  virtual Next slot_available(Context&) noexcept { return Next::wait; }
  // Where its endpoint is one of those: what becomes of it. Who is not closed at once ends by FIN
  // from `turn` on, when it is idle.
  virtual Next leave(const EndpointRemovals&, base::Instant, Context&) noexcept {
    return Next::wait;
  }
  // Ends it by RST now. The caller destroys it.
  virtual void cut(Context& context) noexcept = 0;

  // Could it move bytes, and has it not for base::stall_after? Asks the kernel, and answers with
  // how far it came. May be true of one whose event is just under way: only who is found so twice,
  // a wait apart, and came no further in between, has stalled.
  virtual std::optional<std::uint64_t> looks_stalled(Context&) noexcept { return std::nullopt; }
  // Reports that, and notes what the kernel says of its sockets; run() follows.
  virtual void resume_stalled(Context&) noexcept {}

  const Arrival& arrival() const noexcept { return arrival_; }
  // A byte was moved at `at`, or waits since then at the latest for this session's turn.
  void was_active(base::Instant at) noexcept { last_activity_ = std::max(last_activity_, at); }
  base::Instant last_activity() const noexcept { return last_activity_; }
  // It moves large amounts: small exchanges go first.
  bool is_bulk() const noexcept { return is_bulk_; }

 protected:
  // What the poller is to say with an event of a side: 32 bits of slot, 31 of generation, 1 of
  // side.
  std::uint64_t token(unsigned side) const noexcept {
    return std::uint64_t{generation_} << 33 | std::uint64_t{slot_} << 1 | side;
  }

  Arrival arrival_;  // the socket in it is ours until the end
  // Of the last byte, in either direction; while connecting: when the attempt began.
  base::Instant last_activity_{};

 private:
  friend class SessionTable;
  std::uint32_t slot_ = 0;
  std::uint32_t generation_ : 31 = 0;

 protected:
  bool is_bulk_ : 1 = false;
};

}  // namespace penstock::session

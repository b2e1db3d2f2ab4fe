#pragma once
// Waiting for readiness: edge-triggered epoll. A socket is registered once, for everything; closing
// it ends the registration.
//
// Thread   the forwarder's own, but for wake(), which any thread may call.
// Tokens   64 bits that come back with an event. An event may name a socket that was closed earlier
//          in the same batch: the owner of the tokens must be able to tell (a generation).
// Edges    an event says that something changed, not that it still is so, and may be spurious.

#include <array>
#include <cstdint>
#include <span>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "os/fd.hpp"

namespace penstock::os {

struct Readiness {
  bool readable : 1;
  bool writable : 1;
  bool urgent : 1;         // a TCP urgent mark lies ahead: reads stop short of it
  bool peer_finished : 1;  // FIN came; bytes may still be queued before it
  bool failed : 1;         // the socket bears an error; what is queued can still be read
};

struct Event {
  std::uint64_t token;
  Readiness ready;
};

// What is so of two sockets now: a level, where the poller tells edges.
std::array<Readiness, 2> ready_now(std::array<int, 2> sockets) noexcept;

class Poller {
 public:
  // REQUIRES: no socket bears this token.
  static constexpr std::uint64_t wake_token = ~std::uint64_t{0};

  static base::Result<Poller> create();

  // Errors: ENOSPC (fs.epoll.max_user_watches), ENOMEM.
  base::ErrorCode add(int descriptor, std::uint64_t token) noexcept;
  // Only for descriptors that live on elsewhere.
  void remove(int descriptor) noexcept;

  // Sleeps until something happens, `timeout` passes (zero: not at all; max: for ever), wake(), or
  // a signal or stop interrupts it: then the span has what came by that time. The span is valid
  // until the next call; wake() itself is not in it. Fewer than base::poll_batch_max: there were no
  // more.
  std::span<const Event> wait(base::Duration timeout) noexcept;

  // Ends a wait() of another thread, or the next one. Async-signal-safe.
  void wake() noexcept;

 private:
  Fd epoll_;
  Fd wake_;
  std::array<Event, base::poll_batch_max + 1> events_{};  // a wake-up may take one place
};

}  // namespace penstock::os

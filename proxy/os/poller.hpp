#pragma once
// Waiting for readiness: edge-triggered epoll, or io_uring where use_ring() succeeded. A socket is
// registered once, for everything; close() ends the registration.
//
// Thread   the forwarder's own, but for wake(), which any thread may call.
// Tokens   64 bits that come back with an event. An event may name a socket that was closed earlier
//          in the same batch: the owner of the tokens must be able to tell (a generation).
// Edges    an event says that something changed, not that it still is so, and may be spurious.

#include <array>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "os/fd.hpp"
#include "os/ring.hpp"

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
  // What was asked of a ring has ended: by `bytes` in a buffer of it; by the socket's `error`,
  // which no call will tell again; or by neither, and then a call tells what is so.
  bool receive_ended = false;
  std::int16_t error = 0;
  std::uint16_t buffer = 0;
  std::uint16_t bytes = 0;
};

// What is so of two sockets now: a level, where the poller tells edges.
std::array<Readiness, 2> ready_now(std::array<int, 2> sockets) noexcept;

class Poller {
 public:
  // REQUIRES: no socket bears this token.
  static constexpr std::uint64_t wake_token = ~std::uint64_t{0};

  static base::Result<Poller> create();

  // Turns to a ring, before anything is added, on the thread that will wait; `memory` is for its
  // buffers. Errors: as os/ring.hpp says; then it stays with epoll.
  base::ErrorCode use_ring(std::pmr::memory_resource& memory) noexcept;
  bool on_ring() const noexcept { return ring_ != nullptr; }

  // On a ring, bytes to read are announced as everything else, or told only to who asked for them
  // by receive() or await_readable(). epoll always announces.
  enum class Reads : std::uint8_t { announced, asked_for };
  // Errors: ENOSPC (fs.epoll.max_user_watches), ENOMEM.
  base::ErrorCode add(int descriptor, std::uint64_t token, Reads reads) noexcept;
  // Ends the registration, if there is one, and closes.
  void close(int descriptor) noexcept;

  // On a ring only: os/ring.hpp.
  void receive(int descriptor) noexcept;
  void await_readable(int descriptor) noexcept;
  void cancel(int descriptor) noexcept;
  std::span<const std::byte> buffer(std::uint16_t index) const noexcept;
  void give_back(std::uint16_t index) noexcept;

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
  std::unique_ptr<Ring> ring_;
  std::array<Event, base::poll_batch_max + 1> events_{};  // a wake-up may take one place
};

}  // namespace penstock::os

#pragma once
// What other threads have for a forwarder, and its sleep until there is something.
//
//   who             tells                                        by
//   --------------  -------------------------------------------  ------------------------------
//   an acceptor     an arrival                                   a ring of its own
//   control         a command (see CommandOutbox); to end        a ring; a flag
//   any forwarder   a place that somebody here may wait for      a flag
//
// Owner    the forwarder. Thread: each function says who; the rings have one sender each.
// Sleep    who has something puts it in first and wakes then; wait() says that it sleeps first and
//          looks then (runtime/sleep_flag.hpp). So nothing lies here while the forwarder sleeps,
//          and a forwarder that is awake costs its senders no system call.
// Limits   base::handoff_ring_slots arrivals of each acceptor, and 64 commands; what finds no room
//          stays the sender's.

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory_resource>
#include <span>

#include "base/owner_thread.hpp"
#include "base/spsc_ring.hpp"
#include "base/time.hpp"
#include "os/poller.hpp"
#include "runtime/command.hpp"
#include "runtime/sleep_flag.hpp"
#include "session/listener.hpp"

namespace penstock::runtime {

class Inbox {
 public:
  // The poller is the forwarder's and outlives this. Throws (start-up only).
  Inbox(std::size_t acceptors, os::Poller& poller, std::pmr::memory_resource& memory);

  // --- the senders' side ---
  // By acceptor `sender`. False where its ring is full. After a batch comes wake(), once.
  [[nodiscard]] bool offer(std::size_t sender, session::Arrival& arrival) noexcept;
  // Any thread.
  void wake() noexcept;
  // By control. False where the ring is full.
  [[nodiscard]] bool command(Command command) noexcept;
  // By control, any number of times.
  void request_stop() noexcept;
  // Somebody who is queued here may have a place. Any thread.
  void wake_queued() noexcept;

  // --- the forwarder's side ---
  // The calling thread is the forwarder's from now on.
  void adopt() noexcept { forwarder_.adopt(); }
  // False where there is none.
  [[nodiscard]] bool take(Command& command) noexcept;
  // Calls take_in(session::Arrival&) for each.
  template <class TakeIn>
  void take_arrivals(TakeIn&& take_in) noexcept;
  // True once after a wake_queued().
  [[nodiscard]] bool take_wake_queued() noexcept;
  bool stop_is_requested() const noexcept;
  bool is_empty() const noexcept;
  // Waits for events as Poller::wait() does; ends as well when something comes in here.
  std::span<const os::Event> wait(base::Duration timeout) noexcept;
  // The same, but asks again and again: senders see a thread that is awake and save the wake-up.
  std::span<const os::Event> spin_until(base::Instant end) noexcept;

 private:
  std::pmr::deque<base::SpscRing<session::Arrival>> arrivals_;  // one per acceptor
  base::SpscRing<Command> commands_;
  SleepFlag sleep_;
  std::atomic<bool> queued_woken_{false};
  std::atomic<bool> stop_requested_{false};
  os::Poller& poller_;
  base::OwnerThread forwarder_;
};

template <class TakeIn>
void Inbox::take_arrivals(TakeIn&& take_in) noexcept {
  forwarder_.check();
  session::Arrival arrival;
  for (auto& ring : arrivals_)
    while (ring.try_pop(arrival)) take_in(arrival);
}

}  // namespace penstock::runtime

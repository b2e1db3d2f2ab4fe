#pragma once
// Connections of one upstream that wait for a free place: first come, first served, across all
// forwarders.
//
// Only the first in line may take a place. Whoever gives one back calls the first: its forwarder is
// rung, asks for first_of(), and lets that session try. Who takes its place leaves the line, and
// the next is called, for there may be room for more than one. A call that finds no place costs a
// look; a place that is given back while nobody waits costs one atomic load.
//
// No wake-up is lost: who joins looks once more after it stands in line, and who gives back looks
// for a line after the place is free; one of the two sees the other (both are seq_cst).
//
// Owner    the Upstream. Thread: any; a mutex, entered only when somebody waits.
// Errors   no memory for a waiter is the same as a full line.

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace penstock::upstream {

// Wakes forwarders up. Outlives everybody who waits in a queue that rings it.
class QueueBell {
 public:
  virtual ~QueueBell() = default;
  virtual void ring(std::uint16_t forwarder) noexcept = 0;
};

class WaitQueue {
 public:
  using Ticket = std::uint64_t;  // in the order of the line; 0 is none

  explicit WaitQueue(std::size_t size_max) : size_max_{size_max} {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  // Before any thread joins.
  void set_bell(QueueBell& bell) noexcept { bell_ = &bell; }

  // Somebody waits: a newcomer must not overtake.
  std::size_t length() const noexcept { return length_.load(std::memory_order_seq_cst); }

  // Empty where the line is full. `session` is the forwarder's own name for who waits.
  std::optional<Ticket> join(std::uint16_t forwarder, std::uint64_t session) noexcept;
  bool is_first(Ticket ticket) const noexcept;
  // After it took its place, or gave up. Calls the next.
  void leave(Ticket ticket) noexcept;

  // A place may be free.
  void call_first() noexcept;
  // The session that waits first, where it is one of this forwarder's.
  std::optional<std::uint64_t> first_of(std::uint16_t forwarder) const noexcept;

 private:
  struct Waiter {
    std::uint16_t forwarder;
    std::uint64_t session;
  };
  std::optional<std::uint16_t> forwarder_of_first() const noexcept;

  const std::size_t size_max_;
  QueueBell* bell_ = nullptr;
  std::atomic<std::size_t> length_{0};
  mutable std::mutex mutex_;
  std::map<Ticket, Waiter> line_;  // under mutex_, as is the next one
  Ticket last_ticket_ = 0;
};

}  // namespace penstock::upstream

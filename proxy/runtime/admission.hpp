#pragma once
// runtime.max_connections, kept exactly between threads: places are reserved before a connection is
// accepted and given back when it has ended and its descriptors are closed.
//
// Thread   any.
// Answer   no place: the acceptor pauses, clients wait in the kernel's backlog, and the next
//          release resumes accepting.
// Wakes    only who can use what was given back: a connection that has ended leaves a place and
//          descriptors, a reservation that nobody took leaves a place alone. Acceptors without
//          descriptors would else wake each other for ever.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/limits.hpp"
#include "os/wakeup.hpp"

namespace penstock::runtime {

class Admission {
 public:
  // What an acceptor pauses for; `more` is a descriptor, memory, or room in the ring of a
  // forwarder.
  enum class Want : std::uint8_t { nothing, place, more };

  // `resume` are the bells of the acceptors, by their index; they outlive this object.
  Admission(std::size_t connections_max, const std::vector<os::Wakeup*>& resume)
      : max_{connections_max} {
    for (os::Wakeup* bell : resume) acceptors_.emplace_back(bell);
  }

  bool reserve() noexcept {
    std::size_t active = active_.load(std::memory_order_relaxed);
    while (active < max_)
      if (active_.compare_exchange_weak(active, active + 1, std::memory_order_relaxed)) return true;
    return false;
  }

  // A connection has ended, and its descriptors are closed.
  void release() noexcept {
    give_back([](Want want) { return want != Want::nothing; });
  }
  // What was reserved was not used.
  void cancel() noexcept {
    give_back([](Want want) { return want == Want::place; });
  }

  // An acceptor that pauses also looks again after a while, so a release that it just missed costs
  // only that while.
  void pause(std::size_t acceptor, Want want) noexcept {
    acceptors_[acceptor].want.store(want, std::memory_order_release);
    paused_.fetch_add(1, std::memory_order_acq_rel);
  }
  void resumed(std::size_t acceptor) noexcept {
    acceptors_[acceptor].want.store(Want::nothing, std::memory_order_release);
    paused_.fetch_sub(1, std::memory_order_acq_rel);
  }

  std::size_t active() const noexcept { return active_.load(std::memory_order_relaxed); }
  std::size_t max() const noexcept { return max_; }
  bool paused() const noexcept { return paused_.load(std::memory_order_relaxed) != 0; }

 private:
  struct Waiting {
    explicit Waiting(os::Wakeup* its_bell) : bell{its_bell} {}
    os::Wakeup* bell;
    std::atomic<Want> want{Want::nothing};
  };

  template <class CanUse>
  void give_back(CanUse can_use) noexcept {
    active_.fetch_sub(1, std::memory_order_acq_rel);
    if (paused_.load(std::memory_order_acquire) == 0) return;
    for (Waiting& acceptor : acceptors_)
      if (can_use(acceptor.want.load(std::memory_order_acquire))) acceptor.bell->notify();
  }

  const std::size_t max_;
  std::deque<Waiting> acceptors_;  // as many as at the start
  alignas(base::cache_line_bytes) std::atomic<std::size_t> active_{0};
  std::atomic<int> paused_{0};
};

}  // namespace penstock::runtime

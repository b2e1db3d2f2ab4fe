#pragma once
// runtime.max_connections, kept exactly between threads: places are reserved before a connection is
// accepted and given back when it has ended and its descriptors are closed.
//
// Thread   any.
// Answer   no place: the acceptor pauses, clients wait in the kernel's backlog, and the next
//          release resumes accepting.

#include <atomic>
#include <cstddef>
#include <vector>

#include "base/limits.hpp"
#include "os/wakeup.hpp"

namespace penstock::runtime {

class Admission {
 public:
  // `resume` are the bells of the acceptors; they outlive this object.
  Admission(std::size_t connections_max, std::vector<os::Wakeup*> resume)
      : max_{connections_max}, resume_{std::move(resume)} {}

  bool reserve() noexcept {
    std::size_t active = active_.load(std::memory_order_relaxed);
    while (active < max_)
      if (active_.compare_exchange_weak(active, active + 1, std::memory_order_relaxed)) return true;
    return false;
  }

  void release() noexcept {
    active_.fetch_sub(1, std::memory_order_acq_rel);
    if (paused_.load(std::memory_order_acquire) == 0) return;
    for (os::Wakeup* wakeup : resume_) wakeup->notify();
  }

  // An acceptor that pauses also looks again after a while, so a release that it just missed costs
  // only that while.
  void pause() noexcept { paused_.fetch_add(1, std::memory_order_acq_rel); }
  void resumed() noexcept { paused_.fetch_sub(1, std::memory_order_acq_rel); }

  std::size_t active() const noexcept { return active_.load(std::memory_order_relaxed); }
  std::size_t max() const noexcept { return max_; }
  bool paused() const noexcept { return paused_.load(std::memory_order_relaxed) != 0; }

 private:
  const std::size_t max_;
  const std::vector<os::Wakeup*> resume_;
  alignas(base::cache_line_bytes) std::atomic<std::size_t> active_{0};
  std::atomic<int> paused_{0};
};

}  // namespace penstock::runtime

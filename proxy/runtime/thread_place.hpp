#pragma once
// Where a thread of the data plane really is, beside its ThreadPlan.
//
// Thread   settle(), note_cpu() and sample_arrival() by the thread itself; seen() by anyone.
// Errors   what the kernel refuses is noted, and the next best thing holds: an unpinned thread goes
//          where the scheduler sends it, and without a policy the first touch of a page decides.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/counter.hpp"
#include "runtime/placement.hpp"

namespace penstock::runtime {

class ThreadLock;

class ThreadPlace {
 public:
  // Pins the calling thread and sets its memory policy.
  void settle(const ThreadPlan& plan) noexcept;
  // Takes away what the calling thread does not need from here on; nothing without a lock.
  void lock(const ThreadLock* lock) noexcept;
  // The CPU on which it runs now. Once a second is often enough.
  void note_cpu() noexcept;
  // Asks one arrival in sixteen on which CPU its packets came in, and whether that is near.
  void sample_arrival(int socket, const ThreadPlan& plan) noexcept;

  struct Seen {
    std::optional<int> cpu{};  // empty: it has not run yet
    bool is_pinned = false;
    MemoryPolicy memory = MemoryPolicy::system;
    int lock_refusal = 0;  // the errno with which the kernel refused the lock
    std::uint64_t arrivals_sampled = 0;
    std::uint64_t arrivals_local = 0;  // of these, on a CPU of the plan's node
  };
  Seen seen() const noexcept;

 private:
  base::Counter cpu_;  // plus one; 0 is none
  base::Counter is_pinned_;
  base::Counter memory_;
  base::Counter lock_refusal_;
  base::Counter arrivals_;
  base::Counter sampled_;
  base::Counter local_;
};

// Does the work on a thread that runs as planned, and waits for it: what it touches first is near.
// Where the plan has no CPUs, here. Throws what the work throws.
void work_as_planned(const ThreadPlan& plan, const std::function<void()>& work);

}  // namespace penstock::runtime

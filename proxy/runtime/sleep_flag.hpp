#pragma once
// The sleep of a thread that receives from others, and how they end it.
//
// The receiver says prepare_to_sleep(), looks once more for what came, and sleeps; a sender puts in
// what it has and then calls must_wake(). Both meet in one atomic exchange: whichever comes second
// sees the other, so no message is left behind a sleeping receiver, and a receiver that is awake
// costs its senders no system call.
//
// Owner    the receiver.
// Thread   prepare_to_sleep() and awake() by the receiver, must_wake() by any sender.

#include <atomic>

#include "base/limits.hpp"

namespace penstock::runtime {

class SleepFlag {
 public:
  // The receiver is about to sleep. Look into every ring after this, and only then sleep.
  void prepare_to_sleep() noexcept { asleep_.exchange(true, std::memory_order_acq_rel); }
  void awake() noexcept { asleep_.exchange(false, std::memory_order_acq_rel); }

  // True where the sender has to wake the receiver: it slept, or was about to, and nobody else has
  // woken it since.
  bool must_wake() noexcept { return asleep_.exchange(false, std::memory_order_acq_rel); }

 private:
  alignas(base::cache_line_bytes) std::atomic<bool> asleep_{false};
};

}  // namespace penstock::runtime

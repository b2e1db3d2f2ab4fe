#pragma once
// The signals that steer `run`: SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2. From the first
// instruction of ours to the last one of the process they have an owner, so that none ever does
// what it does by default:
//
//   the loader      hold_signals(), before any constructor (main.cpp; .preinit_array of the ELF
//                   specification): the kernel keeps them; every thread inherits that
//   configuration   SignalsWhileReading: obeyed at once, there is nothing to end yet
//   serving         SignalQueue: what was kept so far comes out of a descriptor
//   the end         held: they change nothing any more
//
// Other verbs end as any program does: release_signals().

#include <optional>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace penstock::os {

// The calling thread, and those that it starts, keep these signals for whoever asks.
void hold_signals() noexcept;
void release_signals() noexcept;

// While it lives, SIGTERM and SIGINT end the process with exit code 0 and a line on standard error,
// also inside a call that waits, and the others are answered by a line. REQUIRES: they are held,
// there is one thread, and nothing is open that would have to be ended in order.
class SignalsWhileReading {
 public:
  SignalsWhileReading() noexcept;
  SignalsWhileReading(const SignalsWhileReading&) = delete;
  SignalsWhileReading& operator=(const SignalsWhileReading&) = delete;
  ~SignalsWhileReading();
};

// Held signals as something to read (signalfd). REQUIRES: every thread holds them.
class SignalQueue {
 public:
  // Errors: no descriptor is left.
  static base::Result<SignalQueue> open() noexcept;

  int descriptor() const noexcept { return queue_.get(); }
  // The number of the next one; nothing where none came. Never blocks.
  std::optional<int> take() const noexcept;

 private:
  explicit SignalQueue(Fd queue) noexcept : queue_{std::move(queue)} {}
  Fd queue_;
};

}  // namespace penstock::os

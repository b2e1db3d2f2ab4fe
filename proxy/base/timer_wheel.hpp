#pragma once
// Deadlines of one forwarder: a hierarchical timing wheel (Varghese and Lauck, 1987).
//
// Owner    a Timer belongs to whoever embeds it; the wheel only links it. A Timer unlinks itself
//          when it is destroyed.
// Thread   the forwarder's own.
// Limits   ticks of 1 ms, 64-bit, so nothing wraps at 2^32 ms. Four levels of 64 slots reach
//          4.6 hours; what lies farther waits in a list that is sorted in each time they are
//          through.
// Promise  a timer fires once, never early, at most one tick plus one wake-up late. Arming,
//          disarming and firing cost O(1) and no memory.

#include <array>
#include <cstdint>

#include "base/time.hpp"

namespace penstock::base {

// A node of a doubly linked ring: a Timer or the head of a slot.
class TimerLink {
 public:
  TimerLink() noexcept = default;
  TimerLink(const TimerLink&) = delete;
  TimerLink& operator=(const TimerLink&) = delete;
  // A head that goes before its timers leaves them linked to each other, not to freed memory.
  ~TimerLink() { unlink(); }
  bool linked() const noexcept { return next_ != this; }

 protected:
  friend class TimerWheel;
  void unlink() noexcept;
  void insert_before(TimerLink& position) noexcept;
  TimerLink* previous_ = this;
  TimerLink* next_ = this;
};

class Timer : public TimerLink {
 public:
  bool armed() const noexcept { return linked(); }

 protected:
  ~Timer() = default;  // nobody deletes through a Timer*

 private:
  friend class TimerWheel;
  std::uint64_t tick_ = 0;
};

class TimerWheel {
 public:
  explicit TimerWheel(Instant now) noexcept : current_{tick_of(now)} {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms, or moves, a timer. A deadline in the past fires at the next advance(); `never` disarms.
  void arm(Timer& timer, Instant deadline) noexcept;
  void disarm(Timer& timer) noexcept { timer.unlink(); }

  // Moves to `now` and calls fire(Timer&) for each timer that is due, disarmed beforehand; fire may
  // arm and destroy any timer. A clock that goes back is ignored.
  template <class Fire>
  void advance(Instant now, Fire&& fire) {
    TimerLink due;
    collect(tick_of(now), due);
    while (due.linked()) {
      auto& timer = static_cast<Timer&>(*due.next_);
      timer.unlink();
      fire(timer);
    }
  }

  // A time by which advance() should be called: never later than the next deadline's tick, possibly
  // earlier (when a slot of a higher level must be sorted in). `never` where nothing is armed.
  Instant next_wakeup() const noexcept;

 private:
  static constexpr int level_bits = 6;
  static constexpr int levels = 4;
  static constexpr std::uint64_t slots = 1U << level_bits;
  static constexpr std::uint64_t reach = (std::uint64_t{1} << (level_bits * levels)) - 1;
  struct Level {
    std::array<TimerLink, slots> heads;
  };

  // Rounds up, so that a timer never fires early.
  static std::uint64_t tick_of_deadline(Instant at) noexcept;
  static std::uint64_t tick_of(Instant at) noexcept;
  void place(Timer& timer) noexcept;
  void collect(std::uint64_t target, TimerLink& due) noexcept;
  void sort_in(TimerLink& head) noexcept;

  std::uint64_t current_;  // every tick up to and including this one has fired
  std::array<Level, levels> levels_;
  TimerLink far_;  // beyond the reach of the levels
};

}  // namespace penstock::base

#include "base/timer_wheel.hpp"

#include <algorithm>

namespace penstock::base {

namespace {
constexpr std::uint64_t nanoseconds_per_tick = 1'000'000;

Instant instant_of(std::uint64_t tick) noexcept {
  return Instant{Duration{static_cast<std::int64_t>(tick * nanoseconds_per_tick)}};
}
}  // namespace

void TimerLink::unlink() noexcept {
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = this;
}

void TimerLink::insert_before(TimerLink& position) noexcept {
  previous_ = position.previous_;
  next_ = &position;
  previous_->next_ = this;
  position.previous_ = this;
}

std::uint64_t TimerWheel::tick_of(Instant at) noexcept {
  return static_cast<std::uint64_t>(at.time_since_epoch().count()) / nanoseconds_per_tick;
}

std::uint64_t TimerWheel::tick_of_deadline(Instant at) noexcept {
  const auto count = std::max<std::int64_t>(at.time_since_epoch().count(), 0);
  return (static_cast<std::uint64_t>(count) + nanoseconds_per_tick - 1) / nanoseconds_per_tick;
}

void TimerWheel::arm(Timer& timer, Instant deadline) noexcept {
  timer.unlink();
  if (deadline == never) return;
  timer.tick_ = std::max(tick_of_deadline(deadline), current_ + 1);
  place(timer);
}

// The level is the highest digit (base 64) in which the deadline differs from now; the slot is that
// digit of the deadline. A slot is therefore sorted in exactly when its digit becomes current.
void TimerWheel::place(Timer& timer) noexcept {
  const std::uint64_t difference = timer.tick_ ^ current_;
  if (difference > reach) {
    timer.insert_before(far_);
    return;
  }
  int level = 0;
  while ((difference >> (level_bits * (level + 1))) != 0) ++level;
  const std::uint64_t slot = (timer.tick_ >> (level_bits * level)) & (slots - 1);
  timer.insert_before(levels_[static_cast<std::size_t>(level)].heads[slot]);
}

void TimerWheel::sort_in(TimerLink& head) noexcept {
  TimerLink moved;
  while (head.linked()) {
    TimerLink& timer = *head.next_;
    timer.unlink();
    timer.insert_before(moved);
  }
  while (moved.linked()) {
    auto& timer = static_cast<Timer&>(*moved.next_);
    timer.unlink();
    place(timer);
  }
}

void TimerWheel::collect(std::uint64_t target, TimerLink& due) noexcept {
  while (current_ < target) {
    // A long sleep would step through every tick: skip to the next one at which something happens.
    const std::uint64_t next = tick_of(next_wakeup());
    if (next > target) {
      // Digits may change on the way, but the slots that they reach are empty.
      current_ = target;
      return;
    }
    current_ = std::max(next, current_ + 1);
    if ((current_ & reach) == 0) sort_in(far_);
    for (int level = levels - 1; level > 0; --level) {
      const int shift = level_bits * level;
      if ((current_ & ((std::uint64_t{1} << shift) - 1)) != 0) continue;
      sort_in(levels_[static_cast<std::size_t>(level)].heads[(current_ >> shift) & (slots - 1)]);
    }
    TimerLink& head = levels_[0].heads[current_ & (slots - 1)];
    while (head.linked()) {
      TimerLink& timer = *head.next_;
      timer.unlink();
      timer.insert_before(due);
    }
  }
}

Instant TimerWheel::next_wakeup() const noexcept {
  for (int level = 0; level < levels; ++level) {
    const int shift = level_bits * level;
    const std::uint64_t digit = (current_ >> shift) & (slots - 1);
    for (std::uint64_t slot = digit + 1; slot < slots; ++slot) {
      if (!levels_[static_cast<std::size_t>(level)].heads[slot].linked()) continue;
      const std::uint64_t base = (current_ >> shift) - digit + slot;
      return instant_of(base << shift);
    }
  }
  return far_.linked() ? instant_of((current_ | reach) + 1) : never;
}

}  // namespace penstock::base

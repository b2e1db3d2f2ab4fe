#include "runtime/inbox.hpp"

#include <utility>

#include "base/limits.hpp"
#include "os/clock.hpp"

namespace penstock::runtime {

namespace {
constexpr std::size_t command_ring_slots = 64;
}  // namespace

Inbox::Inbox(std::size_t acceptors, os::Poller& poller, std::pmr::memory_resource& memory)
    : arrivals_{&memory}, commands_{command_ring_slots, memory}, poller_{poller} {
  for (std::size_t i = 0; i < acceptors; ++i)
    arrivals_.emplace_back(base::handoff_ring_slots, memory);
}

bool Inbox::offer(std::size_t sender, session::Arrival& arrival) noexcept {
  return arrivals_[sender].try_push(std::move(arrival));
}

void Inbox::wake() noexcept {
  if (sleep_.must_wake()) poller_.wake();
}

bool Inbox::command(Command command) noexcept {
  if (!commands_.try_push(std::move(command))) return false;
  wake();
  return true;
}

void Inbox::request_stop() noexcept {
  stop_requested_.store(true, std::memory_order_seq_cst);
  wake();
}

void Inbox::wake_queued() noexcept {
  queued_woken_.store(true, std::memory_order_seq_cst);
  wake();
}

bool Inbox::take(Command& command) noexcept {
  forwarder_.check();
  return commands_.try_pop(command);
}

bool Inbox::take_wake_queued() noexcept {
  forwarder_.check();
  if (!queued_woken_.load(std::memory_order_relaxed)) return false;
  queued_woken_.store(false, std::memory_order_seq_cst);
  return true;
}

bool Inbox::stop_is_requested() const noexcept {
  return stop_requested_.load(std::memory_order_relaxed);
}

bool Inbox::is_empty() const noexcept {
  if (!commands_.empty() || queued_woken_.load(std::memory_order_seq_cst)) return false;
  if (stop_requested_.load(std::memory_order_seq_cst)) return false;
  for (const auto& ring : arrivals_)
    if (!ring.empty()) return false;
  return true;
}

std::span<const os::Event> Inbox::wait(base::Duration timeout) noexcept {
  forwarder_.check();
  if (timeout > base::Duration{0}) {
    sleep_.prepare_to_sleep();
    if (!is_empty()) timeout = base::Duration{0};
  }
  const auto events = poller_.wait(timeout);
  sleep_.awake();
  return events;
}

std::span<const os::Event> Inbox::spin_until(base::Instant end) noexcept {
  forwarder_.check();
  std::span<const os::Event> events;
  do events = poller_.wait(base::Duration{0});
  while (events.empty() && is_empty() && os::now() < end);
  return events;
}

}  // namespace penstock::runtime

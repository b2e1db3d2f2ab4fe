#include "upstream/wait_queue.hpp"

#include <new>

#include "base/assert.hpp"

namespace penstock::upstream {

std::optional<WaitQueue::Ticket> WaitQueue::join(std::uint16_t forwarder,
                                                 std::uint64_t session) noexcept {
  const std::lock_guard lock{mutex_};
  if (line_.size() >= size_max_) return std::nullopt;
  try {
    line_.emplace(last_ticket_ + 1, Waiter{.forwarder = forwarder, .session = session});
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  }
  length_.store(line_.size(), std::memory_order_seq_cst);
  return ++last_ticket_;
}

bool WaitQueue::is_first(Ticket ticket) const noexcept {
  const std::lock_guard lock{mutex_};
  return !line_.empty() && line_.begin()->first == ticket;
}

void WaitQueue::leave(Ticket ticket) noexcept {
  {
    const std::lock_guard lock{mutex_};
    const bool stood_in_line = line_.erase(ticket) == 1;
    PENSTOCK_ASSERT(stood_in_line);
    length_.store(line_.size(), std::memory_order_seq_cst);
  }
  call_first();
}

void WaitQueue::call_first() noexcept {
  if (length() == 0) return;
  // Rung outside the lock: the bell may wake a thread that wants it.
  if (const auto forwarder = forwarder_of_first()) bell_->ring(*forwarder);
}

std::optional<std::uint64_t> WaitQueue::first_of(std::uint16_t forwarder) const noexcept {
  if (length() == 0) return std::nullopt;
  const std::lock_guard lock{mutex_};
  if (line_.empty() || line_.begin()->second.forwarder != forwarder) return std::nullopt;
  return line_.begin()->second.session;
}

std::optional<std::uint16_t> WaitQueue::forwarder_of_first() const noexcept {
  const std::lock_guard lock{mutex_};
  if (line_.empty()) return std::nullopt;
  return line_.begin()->second.forwarder;
}

}  // namespace penstock::upstream

#include "runtime/poll_fairness.hpp"

namespace penstock::runtime {

void PollFairness::begin_wait(base::Instant now, std::size_t sessions) noexcept {
  if (events_left()) return;
  full_batches_ = 0;
  full_batches_max_ = 2 * sessions / base::poll_batch_max;
  heard_until_ = now;
}

void PollFairness::end_wait(std::size_t events) noexcept {
  full_batches_ = events >= base::poll_batch_max ? full_batches_ + 1 : 0;
}

bool PollFairness::events_left() const noexcept {
  return full_batches_ > 0 && full_batches_ <= full_batches_max_;
}

}  // namespace penstock::runtime

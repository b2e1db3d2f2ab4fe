#include "upstream/health_target.hpp"

#include "upstream/as_result.hpp"
#include "upstream/hash.hpp"
#include "upstream/live_record.hpp"

namespace penstock::upstream {

namespace {

namespace asio = boost::asio;

}  // namespace

base::Duration HealthShared::vary(base::Duration interval) noexcept {
  const auto fraction = static_cast<double>(mixed_again(seed, varied++) >> 11) * 0x1p-53;  // 0 to 1
  const double share = 0.9 + 0.2 * fraction;
  return base::Duration{static_cast<std::int64_t>(static_cast<double>(interval.count()) * share)};
}

// Gives the place of a check back, to the first in line where there is one.
class HealthTarget::Place {
 public:
  Place(HealthTarget& target, HealthShared& shared) : target_{target}, shared_{shared} {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (!target_.has_place_) return;
    target_.has_place_ = false;
    ++shared_.free_places;
    while (shared_.free_places > 0 && !shared_.line.empty()) {
      const std::shared_ptr<HealthTarget> first = std::move(shared_.line.front());
      shared_.line.pop_front();
      if (first->stopped_) continue;
      --shared_.free_places;
      first->has_place_ = true;
      first->wake_.cancel();
    }
  }

 private:
  HealthTarget& target_;
  HealthShared& shared_;
};

void HealthTarget::change(Spec spec) {
  spec_ = std::move(spec);
  judge_.set_rows(spec_->rise, spec_->fall);
}

void HealthTarget::stop() {
  stopped_ = true;
  wake_.cancel();
  if (link_) link_->close();
}

// A wait that was cut short by start_after() goes on to the new time.
asio::awaitable<void> HealthTarget::wait_until_due() {
  while (!stopped_) {
    const auto [error] = co_await wake_.async_wait(as_result);
    if (!error) co_return;
  }
}

asio::awaitable<void> HealthTarget::wait_for_place(HealthShared& shared) {
  if (shared.free_places > 0) {
    --shared.free_places;
    has_place_ = true;
    co_return;
  }
  shared.line.push_back(shared_from_this());
  while (!has_place_ && !stopped_) {
    wake_.expires_at(asio::steady_timer::time_point::max());
    co_await wake_.async_wait(as_result);
  }
}

asio::awaitable<void> HealthTarget::check_once(HealthShared& shared) {
  const Place place{*this, shared};
  co_await wait_for_place(shared);
  if (stopped_) co_return;
  // From start to start; and it is never behind, whatever a check or a pause of the process took.
  start_after(shared.vary(spec_->interval));
  link_ = std::make_shared<HealthLink>(wake_.get_executor());
  const os::SocketAddress address = checked_address(record_.address, *spec_);
  CheckOutcome outcome;
  try {
    outcome = co_await check_health(link_, spec_, address, shared.tls);
  } catch (const std::exception& exception) {
    // Of OpenSSL or for want of memory. It must not end the schedule, which nobody would notice.
    outcome = {CheckResult::local, std::string{"on this machine: "}.append(exception.what())};
  }
  link_.reset();
  if (!stopped_) report(shared, outcome);
}

// A check that contradicts the state does not say why it is that.
void HealthTarget::report(const HealthShared& shared, const CheckOutcome& outcome) {
  shared.reports.checked(record_, outcome.result);
  if (stopped_ || outcome.result == CheckResult::local) return;
  const bool passed = outcome.result == CheckResult::passed;
  const bool changed = judge_.take(passed);
  const bool agrees = passed == (judge_.state() == Health::up);
  if (!changed && (!agrees || outcome.why == why_)) return;
  why_ = outcome.why;
  shared.reports.judged(record_, judge_.state(), outcome.why);
}

asio::awaitable<void> HealthTarget::run(std::shared_ptr<HealthTarget> self,
                                        std::shared_ptr<HealthShared> shared) {
  while (true) {
    co_await self->wait_until_due();
    if (self->stopped_) co_return;
    co_await self->check_once(*shared);
  }
}

}  // namespace penstock::upstream

#include "health/target.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <utility>

#include "health/check.hpp"
#include "health/link.hpp"
#include "health/tls.hpp"
#include "io/as_result.hpp"
#include "os/address.hpp"
#include "upstream/hash.hpp"
#include "upstream/live_record.hpp"

namespace penstock::health {

namespace {

namespace asio = boost::asio;

}  // namespace

HealthShared::HealthShared(HealthReports reports_to, std::uint64_t chance, std::size_t at_once)
    : reports{std::move(reports_to)},
      tls{std::make_unique<HealthTls>()},
      seed{chance},
      free_places{at_once} {}

HealthShared::~HealthShared() = default;

base::Duration HealthShared::vary(base::Duration interval) noexcept {
  const auto fraction =
      static_cast<double>(upstream::mixed_again(seed, varied++) >> 11) * 0x1p-53;  // 0 to 1
  const double share = 0.9 + 0.2 * fraction;
  return base::Duration{static_cast<std::int64_t>(static_cast<double>(interval.count()) * share)};
}

struct HealthTarget::Wake {
  explicit Wake(asio::io_context& io) : timer{io} {}
  asio::steady_timer timer;
};

struct HealthTarget::Steps {
  static asio::awaitable<void> all(std::shared_ptr<HealthTarget> self,
                                   std::shared_ptr<HealthShared> shared);
  static asio::awaitable<void> wait_until_due(HealthTarget& target);
  static asio::awaitable<void> wait_for_place(HealthTarget& target, HealthShared& shared);
  static asio::awaitable<void> check_once(HealthTarget& target, HealthShared& shared);
};

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
      first->wake_->timer.cancel();
    }
  }

 private:
  HealthTarget& target_;
  HealthShared& shared_;
};

HealthTarget::HealthTarget(upstream::LiveRecord& record, Spec spec, asio::io_context& io)
    : record_{record},
      spec_{std::move(spec)},
      judge_{spec_->rise, spec_->fall, record.control.was_found},
      wake_{std::make_unique<Wake>(io)} {}

HealthTarget::~HealthTarget() = default;

void HealthTarget::change(Spec spec) {
  spec_ = std::move(spec);
  judge_.set_rows(spec_->rise, spec_->fall);
}

void HealthTarget::start_after(base::Duration delay) {
  wake_->timer.expires_after(delay);
}

void HealthTarget::stop() {
  stopped_ = true;
  wake_->timer.cancel();
  if (link_) link_->close();
}

// A wait that was cut short by start_after() goes on to the new time.
asio::awaitable<void> HealthTarget::Steps::wait_until_due(HealthTarget& target) {
  while (!target.stopped_) {
    const auto [error] = co_await target.wake_->timer.async_wait(io::as_result);
    if (!error) co_return;
  }
}

asio::awaitable<void> HealthTarget::Steps::wait_for_place(HealthTarget& target,
                                                          HealthShared& shared) {
  if (shared.free_places > 0) {
    --shared.free_places;
    target.has_place_ = true;
    co_return;
  }
  shared.line.push_back(target.shared_from_this());
  asio::steady_timer& wake = target.wake_->timer;
  while (!target.has_place_ && !target.stopped_) {
    wake.expires_at(asio::steady_timer::time_point::max());
    co_await wake.async_wait(io::as_result);
  }
}

asio::awaitable<void> HealthTarget::Steps::check_once(HealthTarget& target, HealthShared& shared) {
  const Place place{target, shared};
  co_await wait_for_place(target, shared);
  if (target.stopped_) co_return;
  // From start to start; and it is never behind, whatever a check or a pause of the process took.
  target.start_after(shared.vary(target.spec_->interval));
  target.link_ = std::make_shared<HealthLink>(target.wake_->timer.get_executor());
  const os::SocketAddress address = checked_address(target.record_.address, *target.spec_);
  upstream::CheckOutcome outcome;
  try {
    outcome = co_await check_health(target.link_, target.spec_, address, *shared.tls);
  } catch (const std::exception& exception) {
    // Of OpenSSL or for want of memory. It must not end the schedule, which nobody would notice.
    outcome = {upstream::CheckResult::local,
               std::string{"on this machine: "}.append(exception.what())};
  }
  target.link_.reset();
  if (!target.stopped_) target.report(shared, outcome);
}

asio::awaitable<void> HealthTarget::Steps::all(std::shared_ptr<HealthTarget> self,
                                               std::shared_ptr<HealthShared> shared) {
  while (true) {
    co_await wait_until_due(*self);
    if (self->stopped_) co_return;
    co_await check_once(*self, *shared);
  }
}

// A check that contradicts the state does not say why it is that.
void HealthTarget::report(const HealthShared& shared, const upstream::CheckOutcome& outcome) {
  shared.reports.checked(record_, outcome.result);
  if (stopped_ || outcome.result == upstream::CheckResult::local) return;
  const bool passed = outcome.result == upstream::CheckResult::passed;
  const bool changed = judge_.take(passed);
  const bool agrees = passed == (judge_.state() == upstream::Health::up);
  if (!changed && (!agrees || outcome.why == why_)) return;
  why_ = outcome.why;
  shared.reports.judged(record_, judge_.state(), outcome.why);
}

void HealthTarget::run(asio::io_context& io, std::shared_ptr<HealthTarget> self,
                       std::shared_ptr<HealthShared> shared) {
  asio::co_spawn(io, Steps::all(std::move(self), std::move(shared)), asio::detached);
}

}  // namespace penstock::health

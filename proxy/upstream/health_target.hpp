#pragma once
// One endpoint that is checked again and again, and what all of them share. For HealthWatch alone.
//
// Owner    its coroutine and the HealthWatch, by shared_ptr. Thread: that of the io_context.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/limits.hpp"
#include "upstream/health_check.hpp"
#include "upstream/health_judge.hpp"
#include "upstream/health_watch.hpp"

namespace penstock::upstream {

struct HealthShared {
  HealthShared(HealthReports reports_to, std::uint64_t chance, std::size_t at_once = 1)
      : reports{std::move(reports_to)}, seed{chance}, free_places{at_once} {}

  // An interval, give or take 10 %.
  base::Duration vary(base::Duration interval) noexcept;

  const HealthReports reports;
  HealthTls tls;
  const std::uint64_t seed;  // of the chance in the intervals
  std::uint64_t varied = 0;  // intervals so far
  std::size_t free_places;
  std::deque<std::shared_ptr<HealthTarget>> line;  // for a place
};

class HealthTarget : public std::enable_shared_from_this<HealthTarget> {
 public:
  using Spec = std::shared_ptr<const HealthSpec>;

  HealthTarget(LiveRecord& record, Spec spec, const boost::asio::any_io_executor& executor)
      : record_{record},
        spec_{std::move(spec)},
        judge_{spec_->rise, spec_->fall},
        wake_{executor} {}

  const HealthSpec& spec() const noexcept { return *spec_; }
  void change(Spec spec);
  // The next check starts after `delay`, or when the one under way has ended.
  void start_after(base::Duration delay) { wake_.expires_after(delay); }
  // Ends the coroutine. The record is not touched again.
  void stop();

  // The coroutine: waits and checks until it is stopped.
  static boost::asio::awaitable<void> run(std::shared_ptr<HealthTarget> self,
                                          std::shared_ptr<HealthShared> shared);

 private:
  class Place;

  boost::asio::awaitable<void> wait_until_due();
  boost::asio::awaitable<void> wait_for_place(HealthShared& shared);
  boost::asio::awaitable<void> check_once(HealthShared& shared);
  void report(const HealthShared& shared, const CheckOutcome& outcome);

  LiveRecord& record_;
  Spec spec_;
  HealthJudge judge_;
  std::string why_;                 // of the state, as it was reported last
  boost::asio::steady_timer wake_;  // the start of the next check; in the line: that it has a place
  std::shared_ptr<HealthLink> link_;  // of the check under way
  bool has_place_ = false;
  bool stopped_ = false;
};

}  // namespace penstock::upstream

#pragma once
// One endpoint that is checked again and again, and what all of them share. For HealthWatch alone.
//
// Owner    its coroutine and the HealthWatch, by shared_ptr. Thread: that of the io_context.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "health/judge.hpp"
#include "health/watch.hpp"
#include "upstream/health_spec.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::health {

class HealthLink;
class HealthTls;

struct HealthShared {
  HealthShared(HealthReports reports_to, std::uint64_t chance, std::size_t at_once = 1);
  ~HealthShared();

  // An interval, give or take 10 %.
  base::Duration vary(base::Duration interval) noexcept;

  const HealthReports reports;
  const std::unique_ptr<HealthTls> tls;
  const std::uint64_t seed;  // of the chance in the intervals
  std::uint64_t varied = 0;  // intervals so far
  std::size_t free_places;
  std::deque<std::shared_ptr<HealthTarget>> line;  // for a place
};

class HealthTarget : public std::enable_shared_from_this<HealthTarget> {
 public:
  using Spec = std::shared_ptr<const upstream::HealthSpec>;

  HealthTarget(upstream::LiveRecord& record, Spec spec, boost::asio::io_context& io);
  HealthTarget(const HealthTarget&) = delete;
  HealthTarget& operator=(const HealthTarget&) = delete;
  ~HealthTarget();

  const upstream::HealthSpec& spec() const noexcept { return *spec_; }
  void change(Spec spec);
  // The next check starts after `delay`, or when the one under way has ended.
  void start_after(base::Duration delay);
  // Ends the coroutine. The record is not touched again.
  void stop();

  // Begins the coroutine on the io_context: it waits and checks until it is stopped.
  static void run(boost::asio::io_context& io, std::shared_ptr<HealthTarget> self,
                  std::shared_ptr<HealthShared> shared);

 private:
  class Place;
  struct Wake;   // Asio's own types stay in the .cpp
  struct Steps;  // of the coroutine

  void report(const HealthShared& shared, const upstream::CheckOutcome& outcome);

  upstream::LiveRecord& record_;
  Spec spec_;
  HealthJudge judge_;
  std::string why_;  // of the state, as it was reported last
  // The start of the next check; in the line: that it has a place.
  const std::unique_ptr<Wake> wake_;
  std::shared_ptr<HealthLink> link_;  // of the check under way
  bool has_place_ = false;
  bool stopped_ = false;
};

}  // namespace penstock::health

#pragma once
// The schedules of all checked endpoints: who is checked when, and what the results add up to.
//
//   - A lone endpoint is checked at once. Of N new ones the i-th starts i gaps later; a gap is 10
//   ms
//     or interval / N, whichever is less: few are known soon, many spread over the interval.
//   - Every later check starts an interval after the one before, give or take 10 % by chance, so
//     that endpoints never fall into step. Checks of one endpoint never overlap: where one takes
//     longer than the interval, the next starts when it ends.
//   - So many checks are under way at most; others wait in line.
//   - `local` results are reported and decide nothing: what this machine lacks is not the
//     endpoint's fault.
//
// Owner    the server. The io_context outlives the watch.
// Thread   that of the io_context, for every member; reports come from there.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "upstream/endpoint_state.hpp"
#include "upstream/health_spec.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::upstream {
struct LiveRecord;
}

namespace penstock::health {

class HealthTarget;
struct HealthShared;

// Called between checks; they may call follow(), and must not end the watch.
struct HealthReports {
  // After each check.
  std::function<void(upstream::LiveRecord&, upstream::CheckResult)> checked;
  // After that, where the state changed, the first time from `unknown`, or where a check found it
  // the same for another reason; `why` is what that check found.
  std::function<void(upstream::LiveRecord&, upstream::Health, const std::string& why)> judged;
};

class HealthWatch {
 public:
  // `seed` decides the chance in the intervals. REQUIRES: at_once > 0.
  HealthWatch(boost::asio::io_context& io, HealthReports reports, std::uint64_t seed,
              std::size_t at_once = base::health_checks_max);
  HealthWatch(const HealthWatch&) = delete;
  HealthWatch& operator=(const HealthWatch&) = delete;
  // Ends every check. Nothing is reported any more.
  ~HealthWatch();

  // What is to be checked of an upstream from now on; called again after every change. Endpoints
  // that stay keep their state, and their schedule unless the specification changed. Those that
  // are gone are not touched again: not even a check under way reports.
  void follow(const std::string& upstream, const std::optional<upstream::HealthSpec>& spec,
              const std::vector<upstream::LiveRecord*>& endpoints);

 private:
  using Targets = std::map<upstream::LiveRecord*, std::shared_ptr<HealthTarget>>;

  // Takes from `known` what stays.
  Targets targets_for(const upstream::HealthSpec& spec,
                      const std::vector<upstream::LiveRecord*>& endpoints, Targets& known);

  boost::asio::io_context& io_;
  const std::shared_ptr<HealthShared> shared_;
  std::map<std::string, Targets> followed_;
};

}  // namespace penstock::health

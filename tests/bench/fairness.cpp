#include "fairness.hpp"

#include <algorithm>

namespace penstock::bench {

void Service::wait_until(Clock::time_point now) {
  longest_gap_ = std::max(longest_gap_, now - last_);
  last_ = now;
}

void Service::answered(Clock::time_point now) {
  ++exchanges_;
  wait_until(now);
}

void Service::close(Clock::time_point window_end) { wait_until(window_end); }

Fairness fairness_of(const std::vector<Service>& services) {
  Fairness fairness;
  std::vector<std::uint64_t> counts;
  for (const Service& service : services) {
    counts.push_back(service.exchanges());
    fairness.longest_gap = std::max(fairness.longest_gap, service.longest_gap());
  }
  std::sort(counts.begin(), counts.end());
  fairness.fewest = counts.front();
  fairness.median = counts[(counts.size() - 1) / 2];
  fairness.most = counts.back();
  return fairness;
}

}  // namespace penstock::bench

#pragma once
// How evenly a proxy serves its connections. Percentiles per request do not tell: a client that
// waits for each answer asks less often the longer it waits, so a connection that the proxy starves
// is hardly among the requests. Each connection counts once here.

#include <cstdint>
#include <vector>

#include "net.hpp"

namespace penstock::bench {

// What one connection got in the measured window.
class Service {
 public:
  Service() = default;
  explicit Service(Clock::time_point window_begin) : last_{window_begin} {}

  void answered(Clock::time_point now);
  void close(Clock::time_point window_end);  // once, after the last answer

  std::uint64_t exchanges() const { return exchanges_; }
  // Between two answers; the ends of the window count as answers, so a connection that got none has
  // waited for all of it.
  Clock::duration longest_gap() const { return longest_gap_; }

 private:
  void wait_until(Clock::time_point now);

  std::uint64_t exchanges_ = 0;
  Clock::time_point last_{};  // answer, or the beginning of the window
  Clock::duration longest_gap_{};
};

struct Fairness {
  std::uint64_t fewest = 0;  // exchanges of any one connection
  std::uint64_t median = 0;
  std::uint64_t most = 0;
  Clock::duration longest_gap{};  // of any connection
};

// Of one connection at least, each closed.
Fairness fairness_of(const std::vector<Service>& services);

}  // namespace penstock::bench

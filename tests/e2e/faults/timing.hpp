#pragma once
// Durations as figures of a table.

#include <algorithm>
#include <vector>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

inline double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// The value that `share` of all are not above; 0 of nothing.
inline double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace penstock::e2e

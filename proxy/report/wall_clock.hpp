#pragma once
// Moments of the monotonic clock as people know them.
//
// A moment has the same name whenever it is asked for. Two clocks cannot be read at once, so what
// lies between them is read once and kept, until somebody sets the wall clock.
//
// Owner    a view. Thread: its own.

#include <cstdint>
#include <cstdlib>

#include "base/time.hpp"

namespace penstock::report {

class WallClock {
 public:
  // Both clocks as they stand now.
  void look(base::Instant now, std::int64_t wall_nanoseconds) noexcept {
    const std::int64_t between = wall_nanoseconds - now.time_since_epoch().count();
    if (std::abs(between - between_) > was_set.count()) between_ = between;
  }
  // Nanoseconds since 1970.
  std::int64_t at(base::Instant moment) const noexcept {
    return between_ + moment.time_since_epoch().count();
  }

 private:
  // More than a thread may stand still between two readings, less than anybody would look for.
  static constexpr base::Duration was_set = std::chrono::milliseconds{100};
  std::int64_t between_ = 0;
};

}  // namespace penstock::report

#include "io/control_watch.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace penstock::io {

void ControlWatch::called(base::Duration took) noexcept {
  if (took <= call_max) return;
  ++blocked_;
  longest_ = std::max(longest_, took);
}

std::optional<std::string> ControlWatch::look(base::Instant now) {
  const std::uint64_t times = told_.take_growth(blocked_, now);
  if (times == 0) return std::nullopt;
  std::string sentence = fmt::format(
      "control needed up to {} ms for one call of its loop, {} times too long: pages, checks and "
      "signals waited; connections did not",
      std::chrono::duration_cast<std::chrono::milliseconds>(longest_).count(), times);
  longest_ = {};
  return sentence;
}

}  // namespace penstock::io

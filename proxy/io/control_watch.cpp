#include "io/control_watch.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace penstock::io {

namespace {
constexpr base::Duration quiet_after_a_sentence = std::chrono::seconds{10};
}  // namespace

void ControlWatch::called(base::Duration took) noexcept {
  if (took <= call_max) return;
  ++blocked_;
  longest_ = std::max(longest_, took);
}

std::optional<std::string> ControlWatch::look(base::Instant now) {
  if (blocked_ == told_ || now < next_) return std::nullopt;
  std::string sentence = fmt::format(
      "control needed up to {} ms for one call of its loop, {} times too long: pages, checks and "
      "signals waited; connections did not",
      std::chrono::duration_cast<std::chrono::milliseconds>(longest_).count(), blocked_ - told_);
  told_ = blocked_;
  longest_ = {};
  next_ = now + quiet_after_a_sentence;
  return sentence;
}

}  // namespace penstock::io

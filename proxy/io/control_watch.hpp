#pragma once
// Control's own loop, watched as it watches those of the forwarders: a call that takes too long
// keeps pages, checks, discovery and signals waiting. Such calls are counted, and said.
//
// Owner    Lifecycle. Thread: control.

#include <cstdint>
#include <optional>
#include <string>

#include "base/rate_limited.hpp"
#include "base/time.hpp"

namespace penstock::io {

class ControlWatch {
 public:
  static constexpr base::Duration call_max = std::chrono::milliseconds{50};

  // One call of the loop ended.
  void called(base::Duration took) noexcept;
  std::uint64_t blocked() const noexcept { return blocked_; }
  // What there is to say, at most once in ten seconds.
  std::optional<std::string> look(base::Instant now);

 private:
  std::uint64_t blocked_ = 0;
  base::Duration longest_{};  // since the last sentence
  base::RateLimited told_;
};

}  // namespace penstock::io

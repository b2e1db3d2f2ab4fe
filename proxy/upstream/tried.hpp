#pragma once
// The endpoints that one connection has tried already, by the numbers of their records: those mean
// the same endpoint in every snapshot. Sixteen bits of them are enough: were two endpoints of one
// upstream taken for each other, then the other one would only be tried last.

#include <array>
#include <cstdint>

#include "base/limits.hpp"
#include "upstream/live_record.hpp"

namespace penstock::upstream {

class Tried {
 public:
  void add(const LiveRecord& endpoint) noexcept {
    numbers_[count_++] = static_cast<std::uint16_t>(endpoint.number);
  }
  bool has(const LiveRecord& endpoint) const noexcept {
    for (std::uint8_t i = 0; i < count_; ++i)
      if (numbers_[i] == static_cast<std::uint16_t>(endpoint.number)) return true;
    return false;
  }
  std::uint8_t count() const noexcept { return count_; }

 private:
  std::array<std::uint16_t, base::connect_attempts_max> numbers_{};
  std::uint8_t count_ = 0;
};

}  // namespace penstock::upstream

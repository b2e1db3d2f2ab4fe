#pragma once
// The endpoints that one connection has tried, by the numbers of their records: those mean the same
// endpoint in every snapshot. Sixteen bits of them are enough: were two endpoints of one upstream
// taken for each other, then the other one would only be tried last.
//
// Attempts go in rounds, in which each endpoint has its turn once. An endpoint that this host
// cannot go to has had its turn as well, but that was no attempt.
//
// Limit    sixteen endpoints, of which those without an attempt fill eight; whoever comes when all
//          places are taken counts as tried.

#include <array>
#include <cstdint>

#include "base/limits.hpp"
#include "upstream/live_record.hpp"

namespace penstock::upstream {

class Tried {
 public:
  static constexpr std::size_t endpoints_max = 2 * base::connect_attempts_max;

  void add(const LiveRecord& endpoint) noexcept {
    failed_ = true;
    note_turn(place_of(endpoint), endpoints_max, endpoint);
  }
  void add_without_attempt(const LiveRecord& endpoint) noexcept {
    note_turn(place_of(endpoint), base::connect_attempts_max, endpoint);
  }
  // It had its turn in this round.
  bool has(const LiveRecord& endpoint) const noexcept {
    const std::size_t place = place_of(endpoint);
    return place == endpoints_max || (in_round_ >> place & 1U) != 0;
  }
  void start_round() noexcept { in_round_ = 0; }

  bool is_empty() const noexcept { return count_ == 0; }
  bool failed() const noexcept { return failed_; }  // an attempt
  bool has_room_without_attempt() const noexcept { return count_ < base::connect_attempts_max; }
  std::size_t count() const noexcept { return count_; }
  // Where it stands among them, in the order in which they were met first; count(): nowhere.
  std::size_t place_of(const LiveRecord& endpoint) const noexcept {
    std::size_t place = 0;
    while (place < count_ && numbers_[place] != number_of(endpoint)) ++place;
    return place;
  }

 private:
  static std::uint16_t number_of(const LiveRecord& endpoint) noexcept {
    return static_cast<std::uint16_t>(endpoint.number);
  }
  void note_turn(std::size_t place, std::size_t places, const LiveRecord& endpoint) noexcept {
    if (place >= places) return;
    if (place == count_) numbers_[count_++] = number_of(endpoint);
    in_round_ = static_cast<std::uint16_t>(in_round_ | 1U << place);
  }

  std::array<std::uint16_t, endpoints_max> numbers_{};
  std::uint16_t in_round_ = 0;  // by place
  std::uint8_t count_ = 0;
  bool failed_ = false;
};

}  // namespace penstock::upstream

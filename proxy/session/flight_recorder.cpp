#include "session/flight_recorder.hpp"

#include <algorithm>
#include <new>

#include "base/assert.hpp"

namespace penstock::session {

std::uint32_t flight_microseconds(base::Instant at) noexcept {
  return static_cast<std::uint32_t>(at.time_since_epoch() / std::chrono::microseconds{1});
}

std::size_t FlightRecorder::copy_to(Events& out) const noexcept {
  const std::size_t kept = std::min<std::size_t>(count_, events_max);
  for (std::size_t i = 0; i < kept; ++i) out[i] = events_[(count_ - kept + i) % events_max];
  return kept;
}

FlightRecorders::FlightRecorders(std::pmr::memory_resource& memory)
    : memory_{memory},
      recorders_{static_cast<FlightRecorder*>(memory.allocate(
          base::flight_recorders_max * sizeof(FlightRecorder), alignof(FlightRecorder)))},
      free_{&memory} {
  // To the full, so that giving back never allocates.
  free_.reserve(base::flight_recorders_max);
}

FlightRecorders::~FlightRecorders() {
  PENSTOCK_ASSERT(leased() == 0);
  memory_.deallocate(recorders_, base::flight_recorders_max * sizeof(FlightRecorder),
                     alignof(FlightRecorder));
}

std::uint16_t FlightRecorders::lease() noexcept {
  if (!free_.empty()) {
    const std::uint16_t index = free_.back();
    free_.pop_back();
    recorders_[index].clear();
    return index;
  }
  if (touched_ == base::flight_recorders_max) return none;
  ::new (static_cast<void*>(recorders_ + touched_)) FlightRecorder;
  return static_cast<std::uint16_t>(touched_++);
}

void FlightRecorders::give_back(std::uint16_t index) noexcept {
  free_.push_back(index);
}

}  // namespace penstock::session

#include "relay/zerocopy_flight.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace penstock::relay {

namespace {

// How many sends of the buffer the notice names. Numbers wrap around; distances do not.
std::uint32_t named_by(const os::ZerocopyNotice& notice, const HeldBuffer& buffer) noexcept {
  const auto distance = [&](std::uint32_t number) {
    return static_cast<std::int64_t>(static_cast<std::int32_t>(number - buffer.first_send));
  };
  const std::int64_t first = std::max<std::int64_t>(distance(notice.first), 0);
  const std::int64_t last =
      std::min<std::int64_t>(distance(notice.last), std::int64_t{buffer.sends} - 1);
  return last < first ? 0 : static_cast<std::uint32_t>(last - first + 1);
}

}  // namespace

void ZerocopyFlight::sent(HeldBuffer& buffer, std::size_t bytes) noexcept {
  if (count_ == 0 || buffers_[count_ - 1] != &buffer) {
    PENSTOCK_ASSERT(!full() && buffer.unnoticed == 0);
    buffer.first_send = next_send_;
    buffer.sends = 0;
    buffers_[count_++] = &buffer;
  }
  PENSTOCK_ASSERT(next_send_ == buffer.first_send + buffer.sends);
  ++next_send_;
  ++buffer.sends;
  ++buffer.unnoticed;
  bytes_ += bytes;
}

void ZerocopyFlight::take(const os::ZerocopyNotice& notice, const HeldBuffer* held,
                          BufferPool& pool) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    HeldBuffer* const buffer = buffers_[i];
    const std::uint32_t named = named_by(notice, *buffer);
    PENSTOCK_ASSERT(named <= buffer->unnoticed);
    buffer->unnoticed -= named;
    if (buffer->unnoticed > 0 || buffer == held)
      buffers_[kept++] = buffer;
    else
      pool.give_back(buffer);
  }
  count_ = kept;
}

bool ZerocopyFlight::has(const HeldBuffer& buffer) const noexcept {
  const auto end = buffers_.begin() + static_cast<std::ptrdiff_t>(count_);
  return std::find(buffers_.begin(), end, &buffer) != end;
}

void ZerocopyFlight::forget(const HeldBuffer& buffer) noexcept {
  PENSTOCK_ASSERT(buffer.unnoticed == 0);
  const auto end = buffers_.begin() + static_cast<std::ptrdiff_t>(count_);
  count_ = static_cast<std::size_t>(std::remove(buffers_.begin(), end, &buffer) - buffers_.begin());
}

void ZerocopyFlight::abandon(BufferPool& pool) noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    HeldBuffer* const buffer = buffers_[i];
    if (buffer->unnoticed > 0)
      pool.abandon(buffer);
    else
      pool.give_back(buffer);
  }
  count_ = 0;
}

}  // namespace penstock::relay

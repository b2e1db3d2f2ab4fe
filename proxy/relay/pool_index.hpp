#pragma once
// What a direction has leased, by its place in the forwarder's pool: every connection has four of
// them, at two bytes where pointers would take eight. A value.

#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"

namespace penstock::relay {

enum class PoolIndex : std::uint16_t { none = 0xffff };

// So many places a pool may have.
inline constexpr std::size_t pool_places_max = 0xffff;

inline PoolIndex pool_index(std::ptrdiff_t place) noexcept {
  PENSTOCK_ASSERT(place >= 0 && place < static_cast<std::ptrdiff_t>(pool_places_max));
  return static_cast<PoolIndex>(place);
}

inline std::size_t place_of(PoolIndex index) noexcept {
  PENSTOCK_ASSERT(index != PoolIndex::none);
  return static_cast<std::size_t>(index);
}

}  // namespace penstock::relay

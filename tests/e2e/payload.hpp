#pragma once
// Bytes that tell whose they are: windows into one random block, so that a payload of any size is
// made and compared at the speed of memory, and a byte of another connection is found out.

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::e2e {

// `size` bytes that depend on the seed alone. REQUIRES: size <= payload_bytes_max.
inline constexpr std::size_t payload_bytes_max = std::size_t{50} << 20;
std::string_view payload(std::uint64_t seed, std::size_t size);

// The seed of this run: of the environment's PENSTOCK_SEED, else of the clock; printed once.
std::uint64_t run_seed();

}  // namespace penstock::e2e

#pragma once
// Sizes of memory, by the names that the configuration has for them (KiB, MiB, GiB). Constants.

#include <cstdint>

namespace penstock::base {

inline constexpr std::uint64_t kibibyte = 1024;
inline constexpr std::uint64_t mebibyte = 1024 * kibibyte;
inline constexpr std::uint64_t gibibyte = 1024 * mebibyte;

}  // namespace penstock::base

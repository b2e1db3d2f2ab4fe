#pragma once
// What penstock's process ends with, for those who call it (docs/OPERATIONS.md has the table).

namespace penstock::base {

inline constexpr int success = 0;
inline constexpr int failure = 1;
// The command line or the configuration is wrong: the caller's mistake.
inline constexpr int misuse = 2;

}  // namespace penstock::base

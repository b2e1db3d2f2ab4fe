#pragma once
// Assertions that stay on in release builds.
//
// An assertion guards what only penstock itself can do wrong. What the world may do (a reset, a
// refused pipe, a bad file) is a value: see base/result.hpp.

namespace penstock::base {

// Prints one line on stderr and aborts. Thread: any.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace penstock::base

#define PENSTOCK_ASSERT(expression)                                        \
  do {                                                                     \
    if (!(expression)) [[unlikely]]                                        \
      ::penstock::base::assertion_failed(#expression, __FILE__, __LINE__); \
  } while (false)

#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace penstock::base {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "penstock: assertion failed: %s (%s:%d). This is a bug in penstock.\n",
               expression, file, line);
  std::abort();
}

}  // namespace penstock::base

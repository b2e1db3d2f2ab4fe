#pragma once
// What the kernel refused of the threads' places. Pure.

#include <cstddef>
#include <vector>

#include "runtime/views.hpp"

namespace penstock::report {

// What the kernel refused: how many threads it did not pin, or let have no memory policy, and how
// many arenas it did not place.
struct NumaRefusals {
  std::size_t pins = 0;
  std::size_t policies = 0;
  std::size_t arenas = 0;
};
// Of threads that have run.
NumaRefusals numa_refusals(const std::vector<runtime::ThreadView>& threads);

}  // namespace penstock::report

#pragma once
// How many descriptors a proxy holds while nobody is connected to it, not even to its admin.
//
// Thread   the test's. Errors: Failure, where its admin does not come to rest.

#include <utility>

#include "e2e/faults/scenario.hpp"
#include "e2e/penstock.hpp"

namespace penstock::e2e {

// The proxy was asked for /readyz, and the end of that connection comes after its answer, and after
// that the end of its descriptor.
inline std::size_t descriptors_at_rest(Penstock& penstock) {
  wait_until("the admin rests", [&] {
    const auto states = sockets_by_state({penstock.admin()});
    return states.empty() || (states.size() == 1 && states.contains("TIME_WAIT"));
  });
  std::size_t count = 0;
  wait_until("its descriptors rest", [&] {
    const std::size_t now = penstock.program().descriptors();
    return std::exchange(count, now) == now;
  });
  return count;
}

}  // namespace penstock::e2e

#pragma once
// How many descriptors a proxy holds while nobody is connected to it, not even to its admin.
//
// Thread   the test's. Errors: Failure, where its admin does not come to rest.

#include "e2e/faults/scenario.hpp"
#include "e2e/house.hpp"

namespace penstock::e2e {

// House asks /readyz, and the end of that connection comes after its answer.
inline std::size_t descriptors_at_rest(House& house) {
  wait_until("the admin rests", [&] {
    const auto states = sockets_by_state({house.admin()});
    return states.empty() || (states.size() == 1 && states.contains("TIME_WAIT"));
  });
  return house.program().descriptors();
}

}  // namespace penstock::e2e

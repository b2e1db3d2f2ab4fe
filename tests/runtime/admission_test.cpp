#include "runtime/admission.hpp"

#include <poll.h>

#include "catch.hpp"

namespace penstock::runtime {

namespace {

using Want = Admission::Want;

// Whether it rings; it does not any more afterwards.
bool rings(os::Wakeup& bell) {
  pollfd state{.fd = bell.descriptor(), .events = POLLIN, .revents = 0};
  const bool did = ::poll(&state, 1, 0) == 1;
  if (did) bell.clear();
  return did;
}

struct TwoAcceptors {
  os::Wakeup first;
  os::Wakeup second;
  Admission admission{1, {&first, &second}};
};

}  // namespace

TEST_CASE("places are given out up to the limit, and again after they came back", "[runtime]") {
  Admission admission{2, {}};
  CHECK(admission.reserve());
  CHECK(admission.reserve());
  CHECK_FALSE(admission.reserve());
  admission.release();
  CHECK(admission.reserve());
  admission.cancel();
  CHECK(admission.active() == 1);
}

TEST_CASE("a place that no connection took rings nobody who waits for a descriptor", "[runtime]") {
  TwoAcceptors two;
  two.admission.pause(0, Want::more);
  two.admission.pause(1, Want::more);
  REQUIRE(two.admission.reserve());
  two.admission.cancel();
  CHECK_FALSE(rings(two.first));
  CHECK_FALSE(rings(two.second));
}

TEST_CASE("a place that no connection took rings who waits for a place", "[runtime]") {
  TwoAcceptors two;
  REQUIRE(two.admission.reserve());
  two.admission.pause(0, Want::more);
  two.admission.pause(1, Want::place);
  two.admission.cancel();
  CHECK_FALSE(rings(two.first));
  CHECK(rings(two.second));
}

TEST_CASE("the end of a connection rings everybody who pauses, and nobody else", "[runtime]") {
  TwoAcceptors two;
  REQUIRE(two.admission.reserve());
  two.admission.pause(1, Want::more);
  CHECK(two.admission.paused());
  two.admission.release();
  CHECK_FALSE(rings(two.first));
  CHECK(rings(two.second));
  two.admission.resumed(1);
  CHECK_FALSE(two.admission.paused());
  REQUIRE(two.admission.reserve());
  two.admission.release();
  CHECK_FALSE(rings(two.second));
}

}  // namespace penstock::runtime

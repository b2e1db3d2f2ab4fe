#include "control/watch/ring.hpp"
#include "catch.hpp"
#include "relay/counters.hpp"
#include "runtime/round_times.hpp"
#include "session/counters.hpp"

#include <array>
#include <cerrno>

using namespace penstock;
using control::RingWatch;

namespace {

// Forwarders of which each has tried to get a ring, or not yet.
struct RingRig {
  std::vector<runtime::ForwarderView> views(std::vector<std::optional<int>> refusals) const {
    std::vector<runtime::ForwarderView> made;
    for (const auto& refusal : refusals)
      made.push_back({made.size(), 0, -1, relay, sessions, rounds, {}, nullptr, refusal});
    return made;
  }

  relay::Counters relay;
  session::Counters sessions{1, 0};
  runtime::RoundTimes rounds;
};

}  // namespace

TEST_CASE("a ring that was refused is told of once, when all forwarders have tried", "[control]") {
  const RingRig rig;
  RingWatch watch;
  CHECK_FALSE(watch.look_at(rig.views({EPERM, std::nullopt})));
  const auto line = watch.look_at(rig.views({EPERM, 0}));
  REQUIRE(line);
  CHECK(*line ==
        "relay.engine is uring, but the kernel refused io_uring to 1 of 2 forwarders (Operation "
        "not permitted): they run on epoll, as relay.engine: adaptive does; a seccomp profile or "
        "kernel.io_uring_disabled forbids it: allow it there");
  CHECK_FALSE(watch.look_at(rig.views({EPERM, 0})));
}

TEST_CASE("a ring that nobody asked for, or everybody got, is not spoken of", "[control]") {
  const RingRig rig;
  RingWatch epoll;
  CHECK_FALSE(epoll.look_at(rig.views({std::nullopt, std::nullopt})));
  RingWatch rings;
  CHECK_FALSE(rings.look_at(rig.views({0, 0})));
}

TEST_CASE("too little memory to lock is told with what to do", "[control]") {
  const RingRig rig;
  RingWatch watch;
  const auto line = watch.look_at(rig.views({ENOMEM}));
  REQUIRE(line);
  CHECK(line->find("raise RLIMIT_MEMLOCK (ulimit -l) by 256 KiB") != std::string::npos);
}

#include "control/watch/numa.hpp"

#include "catch.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using control::NumaWatch;
using runtime::MemoryPolicy;

namespace {

const runtime::ThreadPlan plan{.cpus = {0}};
const base::Instant watch_start{1h};

runtime::ThreadView thread(runtime::ThreadPlace::Seen seen) {
  return {.name = "forwarder-0", .plan = plan, .seen = seen};
}

}  // namespace

TEST_CASE("what the kernel refused is said once, when every thread has run", "[control]") {
  NumaWatch watch{true};
  const auto good = thread({.cpu = 0, .is_pinned = true, .memory = MemoryPolicy::local});
  auto refused = thread({.cpu = 1});
  refused.arena = runtime::ArenaView{.policy = MemoryPolicy::local};
  CHECK(watch.look_at({good, thread({})}).empty());
  const auto warnings = watch.look_at({good, refused});
  REQUIRE(warnings.size() == 2);
  CHECK(warnings[0].starts_with("1 of 2 threads could not be pinned"));
  CHECK(warnings[1].starts_with(
      "the kernel refused the memory policy to 1 of 2 threads, and to 1 of 1 arenas"));
  CHECK(watch.look_at({good, refused}).empty());
  CHECK(NumaWatch{true}.look_at({good}).empty());
}

TEST_CASE("a machine of one node misses nothing where memory policies are refused", "[control]") {
  auto refused = thread({.cpu = 0, .is_pinned = true});
  refused.arena = runtime::ArenaView{.policy = MemoryPolicy::local};
  CHECK(NumaWatch{true}.look_at({refused}).size() == 1);
  CHECK(NumaWatch{false}.look_at({refused}).empty());
}

TEST_CASE("throttling is told while it grows, at most once a minute", "[control]") {
  NumaWatch watch{true};
  CHECK(watch.look_at({.periods = 7, .time = 1s}, watch_start).empty());  // before our time
  CHECK(watch.look_at({.periods = 7, .time = 1s}, watch_start + 1s).empty());
  const auto first = watch.look_at({.periods = 9, .time = 1250ms}, watch_start + 2s);
  REQUIRE(first.size() == 1);
  CHECK(first[0] ==
        "the CPU quota of the control group was spent 2 times: its threads stood still for 250 ms; "
        "raise cpu.max (Kubernetes: limits.cpu, or none), or lower runtime.forwarders");
  CHECK(watch.look_at({.periods = 20, .time = 2s}, watch_start + 61s).empty());
  CHECK(watch.look_at({.periods = 20, .time = 2s}, watch_start + 62s).size() == 1);
  CHECK(watch.look_at({.periods = 20, .time = 2s}, watch_start + 200s).empty());
}

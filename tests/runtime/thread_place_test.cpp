#include "runtime/thread_place.hpp"

#include <thread>

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/numa.hpp"

using namespace penstock;
using runtime::MemoryPolicy;
using runtime::ThreadPlace;
using runtime::ThreadPlan;

namespace {

// A thread of its own: what is set there ends with it.
ThreadPlace::Seen settled_on(const ThreadPlan& plan) {
  ThreadPlace place;
  std::thread{[&] { place.settle(plan); }}.join();
  return place.seen();
}

}  // namespace

TEST_CASE("a thread that has not run is nowhere", "[runtime]") {
  CHECK_FALSE(ThreadPlace{}.seen().cpu.has_value());
}

TEST_CASE("a settled thread is on its CPU", "[runtime]") {
  const int last = os::thread_affinity().back();
  const auto seen = settled_on({.cpus = {last}, .memory = MemoryPolicy::system});
  CHECK(seen.cpu == last);
  CHECK(seen.is_pinned);
  CHECK(seen.memory == MemoryPolicy::system);
}

TEST_CASE("what the kernel refuses is seen", "[runtime]") {
  const auto seen =
      settled_on({.cpus = {os::cpus_max - 1}, .memory = MemoryPolicy::bound, .memory_node = 1022});
  CHECK_FALSE(seen.is_pinned);
  CHECK(seen.memory == MemoryPolicy::system);
  CHECK_FALSE(settled_on({}).is_pinned);
}

TEST_CASE("one arrival in sixteen is asked where its packets came in", "[runtime]") {
  const testing::Pair pair = testing::tcp_pair();
  ThreadPlace place;
  for (int i = 0; i < 33; ++i)
    place.sample_arrival(pair.server.get(), {.near_cpus = os::thread_affinity()});
  CHECK(place.seen().arrivals_sampled == 3);
  CHECK(place.seen().arrivals_local == 3);
  for (int i = 0; i < 16; ++i) place.sample_arrival(pair.server.get(), {.near_cpus = {}});
  CHECK(place.seen().arrivals_sampled == 4);
  CHECK(place.seen().arrivals_local == 3);
}

#include "runtime/placement.hpp"

#include <catch2/catch.hpp>

using namespace penstock;
using runtime::Pin;

namespace {
const std::vector<os::NumaNode> two_nodes{{.id = 0, .cpus = {0, 1}}, {.id = 1, .cpus = {2, 3}}};

runtime::Options pinned_to(Pin pin) {
  runtime::Options options;
  options.pin = pin;
  return options;
}
}  // namespace

TEST_CASE("the automatic number of forwarders is the smaller of CPUs and quota, rounded up",
          "[runtime]") {
  REQUIRE(runtime::forwarder_count(0, 8, 0) == 8);
  REQUIRE(runtime::forwarder_count(0, 8, 2.5) == 3);
  REQUIRE(runtime::forwarder_count(0, 2, 16) == 2);
  REQUIRE(runtime::forwarder_count(0, 64, 0.25) == 1);
  REQUIRE(runtime::forwarder_count(3, 8, 1) == 3);
}

TEST_CASE("forwarders are spread over the nodes in turn", "[runtime]") {
  const auto plan = runtime::plan_placement({}, two_nodes, 3);
  REQUIRE(plan.forwarders.size() == 3);
  REQUIRE(plan.forwarders[0].node == 0);
  REQUIRE(plan.forwarders[1].node == 1);
  REQUIRE(plan.forwarders[2].node == 0);
  REQUIRE(plan.forwarders[1].cpus == std::vector<int>{2, 3});
  REQUIRE(plan.acceptors.size() == 1);
}

TEST_CASE("pinned to CPUs, each forwarder of a node gets its own", "[runtime]") {
  const auto plan = runtime::plan_placement(pinned_to(Pin::cpu), two_nodes, 4);
  REQUIRE(plan.forwarders[0].cpus == std::vector<int>{0});
  REQUIRE(plan.forwarders[1].cpus == std::vector<int>{2});
  REQUIRE(plan.forwarders[2].cpus == std::vector<int>{1});
  REQUIRE(plan.forwarders[3].cpus == std::vector<int>{3});
}

TEST_CASE("unpinned, nobody is bound", "[runtime]") {
  const auto plan = runtime::plan_placement(pinned_to(Pin::off), two_nodes, 2);
  for (const auto& seat : plan.forwarders) REQUIRE(seat.cpus.empty());
  REQUIRE(plan.acceptors[0].cpus.empty());
}

// A11: more bytes than 32 bits can count.

#include <fmt/format.h>

#include "catch.hpp"
#include "e2e/faults/crowd.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

void relay_volume(std::uint64_t bytes, Milliseconds deadline) {
  Scenario scenario{"A11", fmt::format("{} bytes each way through one connection", bytes),
                    "every byte; counters equal what arrived; memory flat"};
  INFO("PENSTOCK_SEED=" << run_seed());
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const long resident_before = std::stol(penstock.program().status_line("VmRSS"));
  Crowd crowd{[&] { return penstock.client(); }, origin, 1};
  auto flows = both_ways(crowd, {.bytes = bytes, .seed = run_seed()});
  run(flows, deadline);
  CHECK(whole_of(flows) == flows.size());
  const Record record = penstock.record_of(crowd[0].client);
  const Metrics metrics = penstock.metrics();
  for (const char* way : {"to_upstream", "to_client"}) {
    INFO(way);
    CHECK(number_of(record, std::string{"bytes_"} + way) == bytes);
    CHECK(metrics.sum("penstock_bytes_total", {{"direction", way}}) == static_cast<double>(bytes));
  }
  const long drift = std::stol(penstock.program().status_line("VmRSS")) - resident_before;
  scenario.delivered(Way::to_upstream, flows[0].received(), flows[0].digest());
  scenario.delivered(Way::to_client, flows[1].received(), flows[1].digest());
  scenario.verdict("upstream", flows[0].ending());
  scenario.verdict("client", flows[1].ending());
  crowd.leave();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format(
      "{} bytes up and {} down, the same in the log and in /metrics; resident memory {:+} KiB",
      flows[0].received(), flows[1].received(), drift));
}

}  // namespace

TEST_CASE("A11 a large stream both ways is counted to the byte", "[faults][a]") {
  relay_volume((std::uint64_t{256} << 20) + 1, 60s);
}

TEST_CASE("A11 more than 4 GiB both ways are counted to the byte", "[faults][a][full]") {
  relay_volume((std::uint64_t{5} << 30) + 1, 480s);
}

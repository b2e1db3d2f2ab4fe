// C14: the access log's target does not take lines any more.

#include <fmt/format.h>

#include <filesystem>

#include "catch.hpp"
#include "e2e/faults/resources.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/traffic.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"
#include "e2e/small_disk.hpp"

using namespace penstock::e2e;

namespace {

constexpr std::size_t measured = 1500;  // exchanges

double dropped(const Penstock& penstock) {
  return penstock.metrics().sum("penstock_access_log_lines_dropped_total");
}

double p99_of(const Penstock& penstock) {
  const TrafficReport report = measure_traffic(penstock.address(), measured);
  INFO(report.first_failure);
  CHECK(report.failures == 0);
  return quantile(report.milliseconds, 0.99);
}

void talk_until_lines_are_dropped(const Penstock& penstock) {
  Traffic traffic{penstock.address()};
  wait_until(
      "lines are dropped", [&] { return dropped(penstock) > 0; }, 60s);
  const TrafficReport report = traffic.finish();
  INFO(report.first_failure);
  CHECK(report.failures == 0);
}

}  // namespace

TEST_CASE("C14 the reader of the access log is blocked or its disk is full", "[faults][c]") {
  Scenario scenario{"C14", "nobody reads standard output; the log's disk is full",
                    "traffic goes on, lost lines are counted, the end is clean"};
  Origin origin;
  origin.serve(echo);
  double usual = 0;
  {
    Penstock penstock{{.endpoints = {origin.address()}}};
    usual = p99_of(penstock);
  }
  {
    Penstock penstock{{.endpoints = {origin.address()}, .program = {.unread_output = true}}};
    scenario.watch(penstock.program(), {penstock.address(), origin.address()});
    talk_until_lines_are_dropped(penstock);
    const double before = dropped(penstock);
    const double blocked = p99_of(penstock);
    wait_until("more lines are dropped", [&] { return dropped(penstock) > before; });
    penstock.wait_until_rest();
    scenario.settle();
    scenario.saw(
        fmt::format("blocked: {} exchanges without a failure, {:.0f} lines lost, p99 {:.1f} "
                    "times the usual",
                    measured, dropped(penstock), blocked / usual));
  }
  if (skip_unless(can_mount(), "no right to mount a disk")) return;
  SmallDisk disk;
  disk.fill("other data", 64 << 10);
  Penstock penstock{{.endpoints = {origin.address()}, .access = disk.path("access.log")}};
  talk_until_lines_are_dropped(penstock);
  const double full = p99_of(penstock);
  const double lost = dropped(penstock);
  wait_until("the log says why", [&] {
    return penstock.program().errors().find("No space left on device") != std::string::npos;
  });
  const auto written = std::filesystem::file_size(disk.path("access.log"));
  std::filesystem::remove(disk.path("other data"));
  wait_until("lines are written again", [&] {
    CHECK(measure_traffic(penstock.address(), 1).failures == 0);
    return std::filesystem::file_size(disk.path("access.log")) > written + 100;
  });
  scenario.saw(
      fmt::format("disk full: {} exchanges without a failure, {:.0f} lines lost, p99 {:.1f} "
                  "times the usual, lines are written again once there is room",
                  measured, lost, full / usual));
}

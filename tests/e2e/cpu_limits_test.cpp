// What a control group leaves of the CPUs, and what the proxy makes of it.

#include <boost/json/parse.hpp>

#include "catch.hpp"
#include "e2e/control_group.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

constexpr const char* no_controller = "no such controller of cgroup v1";

// The plan of `penstock numa` within the group.
boost::json::value plan_within(const ControlGroup& group) {
  Program::Options options;
  options.control_group = group.processes();
  const Finished numa = run_program({penstock_binary(), "numa", "--json"}, std::move(options));
  INFO(numa.errors);
  REQUIRE(numa.exit_code == 0);
  return boost::json::parse(numa.output);
}

// The CPUs of each planned forwarder.
std::vector<std::string> forwarders_of(const boost::json::value& plan) {
  std::vector<std::string> cpus;
  for (const auto& thread : plan.at("threads").as_array())
    if (std::string_view{thread.at("name").as_string()}.starts_with("forwarder"))
      cpus.emplace_back(thread.at("cpus").as_string());
  return cpus;
}

// One end of the list of CPUs of a group: "0-3,8" has 0 and 8.
std::string last_of(const std::string& cpus) {
  return cpus.substr(cpus.find_last_of(",-") + 1);
}

}  // namespace

TEST_CASE("a quota makes as many forwarders as it has CPUs of time, rounded up", "[limits]") {
  if (skip_unless(can_make_group("cpu"), no_controller)) return;
  const ControlGroup group{"cpu"};
  const std::size_t all = forwarders_of(plan_within(group)).size();
  group.set("cpu.cfs_quota_us", "25000");
  const auto quarter = plan_within(group);
  CHECK(quarter.at("cpu_quota") == 0.25);
  CHECK(forwarders_of(quarter).size() == 1);
  group.set("cpu.cfs_quota_us", "150000");
  CHECK(forwarders_of(plan_within(group)).size() == std::min<std::size_t>(all, 2));
  group.set("cpu.cfs_quota_us", "100000000");
  CHECK(forwarders_of(plan_within(group)).size() == all);
}

TEST_CASE("a cpuset makes as many forwarders as it has CPUs, and pins them there", "[limits]") {
  if (skip_unless(can_make_group("cpuset"), no_controller)) return;
  const ControlGroup group{"cpuset"};
  const std::string all = forwarders_of(plan_within(group)).back();
  group.set("cpuset.cpus", last_of(all));
  CHECK(forwarders_of(plan_within(group)) == std::vector<std::string>{last_of(all)});
}

TEST_CASE("a quota that is spent is told, with advice", "[limits]") {
  if (skip_unless(can_make_group("cpu"), no_controller)) return;
  const ControlGroup group{"cpu"};
  group.set("cpu.cfs_quota_us", "5000");
  Origin origin;
  origin.serve(echo);
  Plan plan{.endpoints = {origin.address()}};
  plan.program.control_group = group.processes();
  Penstock penstock{std::move(plan)};
  // Once it runs so little that a few connections spend it, also where the machine has much to do.
  group.set("cpu.cfs_period_us", "1000000");
  group.set("cpu.cfs_quota_us", "2000");
  const std::string load(100'000, 'x');
  wait_until("the log speaks of the quota", [&] {
    Peer client = penstock.client();
    client.send(load);
    client.finish_sending();
    client.read_to_end();
    return penstock.program().errors().find("the CPU quota of the control group was spent") !=
           std::string::npos;
  });
  group.set("cpu.cfs_quota_us", "-1");
  CHECK(penstock.program().errors().find("raise cpu.max") != std::string::npos);
}

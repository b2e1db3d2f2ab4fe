#include "report/numa/report.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "catch.hpp"
#include "report/numa/text.hpp"

using namespace penstock;
using runtime::MemoryPolicy;

namespace {

struct ReportedMachine {
  os::NumaTopology topology{
      .nodes = {{.id = 0,
                 .cpus = {0, 1},
                 .online_cpus = {0, 1},
                 .memory_bytes = 512 << 20,
                 .free_bytes = 256 << 20,
                 .distances = {10, 21}},
                {.id = 1, .cpus = {2}, .online_cpus = {2, 3}, .distances = {21, 10}}},
      .offline_cpus = {4},
      .cpu_quota = 2.5};
  std::vector<os::NetworkDevice> devices{{.name = "eth0", .node = 1}, {.name = "lo"}};
  std::vector<std::string> decisions{"3 forwarders: as said"};
  runtime::ThreadPlan near{.node = 0, .cpus = {0, 1}};
  runtime::ThreadPlan far{.node = 1, .cpus = {2}};
  std::vector<runtime::ThreadView> threads{
      {.name = "acceptor-0", .plan = near, .seen = {}},
      {.name = "forwarder-0",
       .plan = far,
       .seen = {.cpu = 2,
                .is_pinned = true,
                .memory = MemoryPolicy::local,
                .arrivals_sampled = 8,
                .arrivals_local = 6},
       .arena = runtime::ArenaView{.node = 0,
                                   .policy = MemoryPolicy::local,
                                   .is_placed = true,
                                   .opened_bytes = 1 << 20,
                                   .pages = os::PagesByNode{{0, 5}, {1, 2}}}}};

  report::NumaReport report(bool is_running) const {
    return {.topology = topology,
            .devices = devices,
            .decisions = decisions,
            .threads = threads,
            .is_running = is_running};
  }
  std::string text(bool is_running) const {
    return report::numa_text(report::numa_json(report(is_running)));
  }
};

}  // namespace

TEST_CASE("the plan is shown as the machine, its limits, decisions and threads", "[report]") {
  CHECK(ReportedMachine{}.text(false) ==
        "NODE  CPUS  ONLINE  MEMORY   FREE     L3  DISTANCES\n"
        "   0  0-1   0-1     512 MiB  256 MiB   0  10 21\n"
        "   1  2     2-3     0 MiB    0 MiB     0  21 10\n"
        "\n"
        "offline CPUs    4\n"
        "CPU quota       2.5\n"
        "memory limit    none\n"
        "NUMA balancing  off\n"
        "devices         eth0 (node 1), lo (node unknown)\n"
        "\n"
        "- 3 forwarders: as said\n"
        "\n"
        "THREAD       NODE  CPUS  MEMORY\n"
        "acceptor-0      0  0-1   local (node 0)\n"
        "forwarder-0     1  2     local (node 0)\n");
}

TEST_CASE("of a running proxy the truth stands beside the plan", "[report]") {
  const ReportedMachine machine;
  const auto json = report::numa_json(machine.report(true));
  const auto& seen = json.at("threads").at(1).at("seen");
  CHECK(seen.at("cpu") == 2);
  CHECK(seen.at("node") == 1);
  CHECK(seen.at("pinned") == true);
  CHECK(json.at("threads").at(0).at("seen").at("cpu").is_null());
  CHECK(json.at("local_ratio") == 0.75);
  const std::string text = machine.text(true);
  CHECK(text.find("IS ON CPU") != std::string::npos);
  CHECK(text.find("6 of 8") != std::string::npos);
  CHECK(text.find("\n75.0% of the connections sampled came in on their forwarder's node\n") !=
        std::string::npos);
  CHECK(text.find("\nforwarder-0     0  local   yes      1 MiB   5 on node 0, 2 on node 1\n") !=
        std::string::npos);
  const auto& arena = json.at("threads").at(1).at("arena");
  CHECK(arena.at("placed") == true);
  CHECK(arena.at("pages_by_node") == boost::json::value{{"0", 5}, {"1", 2}});
}

TEST_CASE("before the first arrival the share is unknown", "[report]") {
  ReportedMachine machine;
  machine.threads.pop_back();
  CHECK_FALSE(report::numa_local_ratio(machine.threads).has_value());
  CHECK(report::numa_json(machine.report(true)).at("local_ratio").is_null());
}

#include "os/topology.hpp"

#include <fmt/format.h>

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/network_device.hpp"
#include "os/numa.hpp"

namespace penstock::os {

using testing::TemporaryDirectory;
using Cpus = std::vector<int>;

namespace {

constexpr const char* nodes = "sys/devices/system/node/";
constexpr const char* cpus = "sys/devices/system/cpu/";

// A recorded machine, of what the kernel shows of one.
struct Machine : TemporaryDirectory {
  void process(const std::string& allowed, const std::string& memories = "0-1") const {
    write("proc/self/status", fmt::format("Name:\tpenstock\nCpus_allowed:\tff\n"
                                          "Cpus_allowed_list:\t{}\nMems_allowed_list:\t{}\n",
                                          allowed, memories));
  }
  void online(const std::string& node_list, const std::string& cpu_list,
              const std::string& offline = "") const {
    write(std::string{nodes} + "online", node_list + "\n");
    write(std::string{cpus} + "online", cpu_list + "\n");
    write(std::string{cpus} + "offline", offline + "\n");
  }
  void node(int id, const std::string& cpu_list, const std::string& distances,
            int kibibytes) const {
    const std::string folder = fmt::format("{}node{}/", nodes, id);
    write(folder + "cpulist", cpu_list + "\n");
    write(folder + "distance", distances + "\n");
    write(folder + "meminfo", fmt::format("Node {0} MemTotal:       {1} kB\n"
                                          "Node {0} MemFree:        {2} kB\n",
                                          id, kibibytes, kibibytes / 2));
  }
  NumaTopology topology() const { return numa_topology(path()); }
};

struct TwoNodes : Machine {
  TwoNodes() {
    process("0-3");
    online("0-1", "0-3");
    node(0, "0-1", "10 21", 512);
    node(1, "2-3", "21 10", 1024);
  }
};

}  // namespace

TEST_CASE("a list of CPUs is read and written as the kernel does", "[os]") {
  CHECK(parse_cpu_list("0-3,8,10-11\n") == Cpus{0, 1, 2, 3, 8, 10, 11});
  CHECK(parse_cpu_list("\n").empty());
  CHECK(parse_cpu_list("7") == Cpus{7});
  CHECK(parse_cpu_list("1,x") == Cpus{1});
  CHECK(parse_cpu_list("3-1").empty());
  CHECK(parse_cpu_list("0-99999999").empty());
  CHECK(cpu_list_text({0, 1, 2, 3, 8, 10, 11}) == "0-3,8,10-11");
  CHECK(cpu_list_text({}).empty());
}

TEST_CASE("a machine of one node", "[os]") {
  const Machine machine;
  machine.process("0-1", "0");
  machine.online("0", "0-1");
  machine.node(0, "0-1", "10", 2048);
  const NumaTopology topology = machine.topology();
  REQUIRE(topology.nodes.size() == 1);
  CHECK(topology.nodes[0].cpus == Cpus{0, 1});
  CHECK(topology.nodes[0].memory_bytes == 2'097'152);
  CHECK(topology.nodes[0].free_bytes == 1'048'576);
  CHECK(topology.nodes[0].distances == std::vector<int>{10});
  CHECK(topology.cpu_count() == 2);
  CHECK(topology.offline_cpus.empty());
  CHECK_FALSE(topology.balances);
}

TEST_CASE("two nodes have their CPUs, memory and distances", "[os]") {
  const TwoNodes machine;
  machine.write("proc/sys/kernel/numa_balancing", "1\n");
  const NumaTopology topology = machine.topology();
  REQUIRE(topology.nodes.size() == 2);
  CHECK(topology.nodes[0].cpus == Cpus{0, 1});
  CHECK(topology.nodes[1].cpus == Cpus{2, 3});
  CHECK(topology.nodes[0].distances == std::vector<int>{10, 21});
  CHECK(topology.node_of(1) == 0);
  CHECK(topology.node_of(3) == 1);
  CHECK_FALSE(topology.node_of(4).has_value());
  CHECK(topology.memory_node_for(topology.nodes[1]) == 1);
  CHECK(topology.balances);
}

TEST_CASE("a node without memory takes it from the nearest that has some", "[os]") {
  const Machine machine;
  machine.process("0-5", "0-2");
  machine.online("0-2", "0-5");
  machine.node(0, "0-1", "10 31 21", 512);
  machine.node(1, "2-3", "31 10 21", 0);
  machine.node(2, "4-5", "21 20 10", 512);
  const NumaTopology topology = machine.topology();
  CHECK_FALSE(topology.nodes[1].gives_memory());
  CHECK(topology.memory_node_for(topology.nodes[1]) == 2);
}

TEST_CASE("a node without CPUs is shown, and nobody runs there", "[os]") {
  const Machine machine;
  machine.process("0-3");
  machine.online("0-1", "0-3");
  machine.node(0, "0-3", "10 17", 512);
  machine.node(1, "", "17 28", 4096);
  const NumaTopology topology = machine.topology();
  REQUIRE(topology.nodes.size() == 2);
  CHECK(topology.nodes[1].cpus.empty());
  CHECK(topology.nodes[1].gives_memory());
  CHECK(topology.cpu_count() == 4);
}

TEST_CASE("CPUs that are offline are not used, wherever they are named", "[os]") {
  const TwoNodes machine;
  machine.online("0-1", "0,2-3", "1");
  const NumaTopology topology = machine.topology();
  CHECK(topology.nodes[0].cpus == Cpus{0});
  CHECK(topology.nodes[0].online_cpus == Cpus{0});
  CHECK(topology.offline_cpus == Cpus{1});
  CHECK(topology.cpu_count() == 3);
}

TEST_CASE("a cpuset smaller than a node leaves the rest alone", "[os]") {
  const TwoNodes machine;
  machine.process("3", "0");
  const NumaTopology topology = machine.topology();
  CHECK(topology.nodes[0].cpus.empty());
  CHECK(topology.nodes[1].cpus == Cpus{3});
  CHECK(topology.nodes[1].online_cpus == Cpus{2, 3});
  CHECK(topology.memory_node_for(topology.nodes[1]) == 0);  // the cpuset refuses node 1's own
}

TEST_CASE("the third-level caches that one node hides are told apart", "[os]") {
  const Machine machine;
  machine.process("0-3", "0");
  machine.online("0", "0-3");
  machine.node(0, "0-3", "10", 512);
  for (int cpu = 0; cpu < 4; ++cpu) {
    const std::string cache = fmt::format("{}cpu{}/cache/index", cpus, cpu);
    machine.write(cache + "0/level", "1\n");
    machine.write(cache + "1/level", "3\n");
    machine.write(cache + "1/shared_cpu_list", cpu < 2 ? "0-1\n" : "2-3\n");
  }
  const NumaTopology topology = machine.topology();
  REQUIRE(topology.cache_groups.size() == 2);
  CHECK(topology.cache_groups[1].cpus == Cpus{2, 3});
  CHECK(topology.caches_of(topology.nodes[0]) == 2);
}

TEST_CASE("of two threads of a core the second comes after the first of all cores", "[os]") {
  const Machine machine;
  machine.process("0-3", "0");
  machine.online("0", "0-3");
  machine.node(0, "0-3", "10", 512);
  CHECK(machine.topology().nodes[0].by_core == Cpus{0, 1, 2, 3});  // the kernel does not say
  for (int cpu = 0; cpu < 4; ++cpu)
    machine.write(fmt::format("{}cpu{}/topology/thread_siblings_list", cpus, cpu),
                  cpu < 2 ? "0-1\n" : "2-3\n");
  CHECK(machine.topology().nodes[0].by_core == Cpus{0, 2, 1, 3});
  machine.process("1-3", "0");  // of the first core only the second thread is ours
  CHECK(machine.topology().nodes[0].by_core == Cpus{1, 2, 3});
}

TEST_CASE("the limits of the control group are part of the topology", "[os]") {
  const TwoNodes machine;
  machine.write("proc/self/cgroup", "0::/\n");
  machine.write("sys/fs/cgroup/cpu.max", "25000 100000\n");
  machine.write("sys/fs/cgroup/memory.max", "134217728\n");
  const NumaTopology topology = machine.topology();
  CHECK(topology.cpu_quota == 0.25);
  CHECK(topology.memory_limit == 134'217'728);
}

TEST_CASE("a kernel without NUMA is one node", "[os]") {
  const Machine machine;
  machine.process("0-1", "0");
  machine.write(std::string{cpus} + "online", "0-3\n");
  machine.write("proc/meminfo", "MemTotal:  4096 kB\nMemFree:  1024 kB\n");
  const NumaTopology topology = machine.topology();
  REQUIRE(topology.nodes.size() == 1);
  CHECK(topology.nodes[0].id == 0);
  CHECK(topology.nodes[0].cpus == Cpus{0, 1});
  CHECK(topology.nodes[0].online_cpus == Cpus{0, 1, 2, 3});
  CHECK(topology.nodes[0].gives_memory());
}

TEST_CASE("where nothing can be read, the thread's own CPUs are one node", "[os]") {
  const Machine machine;
  const NumaTopology topology = machine.topology();
  REQUIRE(topology.nodes.size() == 1);
  CHECK(topology.nodes[0].cpus == thread_affinity());
}

TEST_CASE("a network device is on the node of its slot", "[os]") {
  const Machine machine;
  machine.write("sys/class/net/eth0/device/numa_node", "1\n");
  machine.write("sys/class/net/eth1/device/numa_node", "1\n");
  machine.write("sys/class/net/eth2/device/numa_node", "-1\n");
  machine.write("sys/class/net/lo/mtu", "65536\n");
  machine.write("sys/class/net/bond0/lower_eth0/mtu", "1500\n");
  machine.write("sys/class/net/bond0/lower_eth1/mtu", "1500\n");
  machine.write("sys/class/net/br0/lower_eth0/mtu", "1500\n");
  machine.write("sys/class/net/br0/lower_eth2/mtu", "1500\n");
  machine.write("sys/class/net/vlan7/lower_bond0/mtu", "1500\n");
  std::vector<std::string> found;
  for (const NetworkDevice& device : network_devices(machine.path()))
    found.push_back(device.name + ' ' + (device.node ? std::to_string(*device.node) : "?"));
  CHECK(found == std::vector<std::string>{"bond0 1", "br0 ?", "eth0 1", "eth1 1", "eth2 ?", "lo ?",
                                          "vlan7 1"});
}

TEST_CASE("a device whose name is no plain text is shown in words that are", "[os]") {
  const Machine machine;
  machine.write("sys/class/net/\x1b[2J\xff/mtu", "1500\n");
  const auto devices = network_devices(machine.path());
  REQUIRE(devices.size() == 1);
  CHECK(devices.front().name == "\\x1b[2J\\xff");
}

TEST_CASE("an address leads to the devices that bear it", "[os]") {
  CHECK(devices_of(*parse_socket_address("127.0.0.1:80")) == std::vector<std::string>{"lo"});
  const auto all = devices_of(*parse_socket_address("0.0.0.0:80"));
  CHECK(std::find(all.begin(), all.end(), "lo") != all.end());
  CHECK(devices_of(*parse_socket_address("unix:/x")).empty());
}

}  // namespace penstock::os

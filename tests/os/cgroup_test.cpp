#include "os/cgroup.hpp"

#include "catch.hpp"
#include "os/loopback.hpp"

namespace penstock::os {

using testing::TemporaryDirectory;

TEST_CASE("a version 2 group gives its quota in CPUs", "[os]") {
  const TemporaryDirectory root;
  root.write("proc/self/cgroup", "0::/app\n");
  root.write("sys/fs/cgroup/app/cpu.max", "50000 100000\n");
  CHECK(cpu_quota_below(root.path()) == 0.5);
}

TEST_CASE("a version 2 group without a limit has none", "[os]") {
  const TemporaryDirectory root;
  root.write("proc/self/cgroup", "0::/app\n");
  root.write("sys/fs/cgroup/app/cpu.max", "max 100000\n");
  CHECK_FALSE(cpu_quota_below(root.path()).has_value());
}

TEST_CASE("the smallest quota on the way up holds", "[os]") {
  const TemporaryDirectory root;
  root.write("proc/self/cgroup", "0::/a/b/c\n");
  root.write("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  root.write("sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
  root.write("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  CHECK(cpu_quota_below(root.path()) == 1.5);
  root.write("sys/fs/cgroup/cpu.max", "20000 100000\n");
  CHECK(cpu_quota_below(root.path()) == 0.2);
}

TEST_CASE("inside a container the mount's root is the own group", "[os]") {
  const TemporaryDirectory root;
  root.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  for (const char* path : {"/", "/host/only/path", "/../..", ""}) {
    CAPTURE(path);
    root.write("proc/self/cgroup", std::string{"0::"} + path + "\n");
    CHECK(cpu_quota_below(root.path()) == 2.0);
  }
}

TEST_CASE("a version 1 group gives quota over period", "[os]") {
  const TemporaryDirectory root;
  root.write("proc/self/cgroup",
             "12:memory:/docker/x\n4:cpuset:/docker/x\n3:cpu,cpuacct:/docker/x\n0::/\n");
  root.write("sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "250000\n");
  root.write("sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us", "100000\n");
  CHECK(cpu_quota_below(root.path()) == 2.5);
}

TEST_CASE("version 1 without a limit says -1 and has none", "[os]") {
  const TemporaryDirectory root;
  root.write("proc/self/cgroup", "3:cpu,cpuacct:/\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(cpu_quota_below(root.path()).has_value());
}

TEST_CASE("what cannot be read or understood is no limit", "[os]") {
  const TemporaryDirectory root;
  CHECK_FALSE(cpu_quota_below(root.path()).has_value());
  root.write("proc/self/cgroup", "garbage\n\n0:\n0::no-slash\n");
  CHECK_FALSE(cpu_quota_below(root.path()).has_value());
  for (const char* text : {"", "50000", "x 100000", "0 100000", "50000 0", "-1 100000"}) {
    CAPTURE(text);
    root.write("proc/self/cgroup", "0::/\n");
    root.write("sys/fs/cgroup/cpu.max", text);
    CHECK_FALSE(cpu_quota_below(root.path()).has_value());
  }
}

TEST_CASE("the smallest memory limit on the way up holds", "[os]") {
  const TemporaryDirectory root;
  root.write("proc/self/cgroup", "4:memory:/a/b\n0::/x/y\n");
  CHECK_FALSE(memory_limit_below(root.path()).has_value());
  root.write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
  root.write("sys/fs/cgroup/x/y/memory.max", "max\n");
  CHECK_FALSE(memory_limit_below(root.path()).has_value());
  root.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "67108864\n");
  CHECK(memory_limit_below(root.path()) == 67'108'864);
  root.write("sys/fs/cgroup/x/memory.max", "33554432\n");
  CHECK(memory_limit_below(root.path()) == 33'554'432);
}

TEST_CASE("throttling of the own group and of those above is added up", "[os]") {
  const TemporaryDirectory root;
  CHECK(cpu_throttling(root.path()).periods == 0);
  root.write("proc/self/cgroup", "3:cpu,cpuacct:/v1\n0::/a/b\n");
  root.write("sys/fs/cgroup/a/b/cpu.stat", "usage_usec 9\nnr_throttled 3\nthrottled_usec 1500\n");
  root.write("sys/fs/cgroup/a/cpu.stat", "nr_throttled 1\nthrottled_usec 500\n");
  root.write("sys/fs/cgroup/cpu/v1/cpu.stat", "nr_throttled 2\nthrottled_time 1000000\n");
  const CpuThrottling throttling = cpu_throttling(root.path());
  CHECK(throttling.periods == 6);
  CHECK(throttling.time == std::chrono::milliseconds{3});
}

TEST_CASE("the quota of this process is positive where there is one", "[os]") {
  CHECK(cpu_quota().value_or(1) > 0);
}

TEST_CASE("the share of memory is that of the group which is nearest to its limit", "[os]") {
  const TemporaryDirectory root;
  root.write("proc/self/cgroup", "0::/a/b\n");
  CHECK_FALSE(memory_share_used(root.path()).has_value());
  root.write("sys/fs/cgroup/a/b/memory.max", "1000000\n");
  root.write("sys/fs/cgroup/a/b/memory.current", "500000\n");
  root.write("sys/fs/cgroup/a/b/memory.stat", "anon 100\ninactive_file 300000\n");
  CHECK(memory_share_used(root.path()) == 0.2);  // what the kernel takes back does not count
  root.write("sys/fs/cgroup/a/memory.max", "2000000\n");
  root.write("sys/fs/cgroup/a/memory.current", "1500000\n");
  CHECK(memory_share_used(root.path()) == 0.75);
}

}  // namespace penstock::os

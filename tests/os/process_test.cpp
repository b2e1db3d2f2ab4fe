#include "os/process.hpp"

#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <thread>

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/numa.hpp"
#include "os/refusal.hpp"
#include "os/wakeup.hpp"

namespace penstock::os {

using namespace testing;

TEST_CASE("a file is read whole up to its limit and refused beyond", "[os]") {
  const TemporaryDirectory directory;
  directory.write("file", "12345");
  const FileText fits = read_file(directory / "file", 5);
  CHECK(fits.error.empty());
  CHECK(fits.text == "12345");
  const FileText too_large = read_file(directory / "file", 4);
  CHECK(too_large.error == "is larger than 4 bytes");
  CHECK(too_large.text.empty());
  directory.write("empty", "");
  CHECK(read_file(directory / "empty", 0).error.empty());
}

TEST_CASE("a thread that does not preempt others is one of SCHED_BATCH", "[os]") {
  int policy = SCHED_OTHER;
  bool granted = false;
  std::thread thread{[&] {
    granted = do_not_preempt_on_wakeup();
    policy = ::sched_getscheduler(0);
  }};
  thread.join();
  CHECK(granted);
  CHECK(policy == SCHED_BATCH);
  CHECK(::sched_getscheduler(0) == SCHED_OTHER);
}

TEST_CASE("a refused memory policy is an answer, and nothing is printed", "[os]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  Fd reading{ends[0]};
  Fd writing{ends[1]};
  CHECK(testing::holds_without_memory_policies([&] {
    ::dup2(writing.get(), 2);
    const auto sentence = memory_binding_refused({0});
    return sentence == "get_mempolicy for node 0: Operation not permitted" &&
           !prefer_local_memory() && !bind_memory_to_node(0);
  }));
  writing.reset();
  char text[64];
  CHECK(::read(reading.get(), text, sizeof text) == 0);
}

TEST_CASE("what is no regular file is refused without waiting", "[os]") {
  const TemporaryDirectory directory;
  REQUIRE(::mkfifo((directory / "fifo").c_str(), 0600) == 0);
  CHECK(read_file(directory / "fifo", 10).error == "is not a regular file");
  CHECK(read_file(directory.path(), 10).error == "is not a regular file");
  CHECK(read_file("/dev/zero", 10).error == "is not a regular file");
  CHECK(read_file(directory / "missing", 10).error == "cannot open: No such file or directory");
}

TEST_CASE("a pipe is read to its end where one is allowed", "[os]") {
  const TemporaryDirectory directory;
  const std::string fifo = directory / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::thread writer{[&] { std::ofstream{fifo} << std::string(200'000, 'x') << "end"; }};
  const FileText read = read_file_or_pipe(fifo, 1 << 20);
  writer.join();
  CHECK(read.error.empty());
  CHECK(read.text == std::string(200'000, 'x') + "end");
  std::thread another{[&] { std::ofstream{fifo} << "too much"; }};
  CHECK(read_file_or_pipe(fifo, 4).error == "is larger than 4 bytes");
  another.join();
}

TEST_CASE("a file of /proc, whose size is 0 before it is read, is read whole", "[os]") {
  const FileText limits = read_file("/proc/self/limits", 64 * 1024);
  CHECK(limits.error.empty());
  CHECK(limits.text.find("Max open files") != std::string::npos);
}

TEST_CASE("the limit of descriptors can be raised to the hard one and is read back", "[os]") {
  const std::uint64_t raised = raise_descriptor_limit();
  CHECK(raised >= 64);
  CHECK(descriptor_limit() == raised);
}

TEST_CASE("usage counts descriptors, memory and CPU time of this process", "[os]") {
  const ProcessUsage before = process_usage();
  CHECK(before.resident_bytes >= page_bytes());
  CHECK(before.virtual_bytes >= before.resident_bytes);
  CHECK(before.cpu_seconds >= 0);
  const Pair pair = tcp_pair();
  CHECK(process_usage().open_descriptors == before.open_descriptors + 2);
}

TEST_CASE("broken pipes are ignored once asked for", "[os]") {
  ignore_broken_pipes();
  struct sigaction action {};
  REQUIRE(::sigaction(SIGPIPE, nullptr, &action) == 0);
  CHECK(action.sa_handler == SIG_IGN);
}

TEST_CASE("a thread's name is cut to what the kernel takes", "[os]") {
  const std::string before = read_file("/proc/self/comm", 64).text;
  name_thread("a-name-that-is-too-long");
  CHECK(read_file("/proc/thread-self/comm", 64).text == "a-name-that-is-\n");
  name_thread(before.substr(0, before.size() - 1));
}

TEST_CASE("standard descriptors stay as they are where they are open", "[os]") {
  const std::uint64_t before = process_usage().open_descriptors;
  fill_standard_descriptors();
  CHECK(process_usage().open_descriptors == before);
}

TEST_CASE("this thread runs where it may, and may be bound there", "[os]") {
  const std::vector<int> all = thread_affinity();
  CHECK(std::find(all.begin(), all.end(), current_cpu()) != all.end());
  REQUIRE(bind_thread_to_cpus({all.front()}));
  CHECK(current_cpu() == all.front());
  CHECK(thread_affinity() == std::vector<int>{all.front()});
  CHECK(bind_thread_to_cpus(all));
  CHECK_FALSE(bind_thread_to_cpus({}));
}

TEST_CASE("a wakeup is readable from notify to clear", "[os]") {
  Wakeup wakeup;
  CHECK_FALSE(await_events(wakeup.descriptor(), POLLIN, 0));
  wakeup.notify();
  wakeup.notify();
  CHECK(await_events(wakeup.descriptor(), POLLIN, 0));
  wakeup.clear();
  CHECK_FALSE(await_events(wakeup.descriptor(), POLLIN, 0));
}

TEST_CASE("the clocks advance", "[os]") {
  const base::Instant start = now();
  const base::Duration used = thread_cpu_time();
  while (now() - start < std::chrono::milliseconds{2}) continue;
  CHECK(thread_cpu_time() > used);
  CHECK(wall_clock_nanoseconds() > 1'700'000'000'000'000'000);
  CHECK(random_seed() != random_seed());
}

}  // namespace penstock::os

// D3 and D14: the end of the proxy itself, by force or by a fault, and its start right after.

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

struct Pair {
  Peer client;
  Peer upstream;
};

std::vector<Pair> talking_pairs(Penstock& penstock, Origin& origin, std::size_t count) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < count; ++i) {
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    client.send("there");
    REQUIRE(upstream.read(5) == "there");
    upstream.send("back");
    REQUIRE(client.read(4) == "back");
    pairs.push_back({std::move(client), std::move(upstream)});
  }
  return pairs;
}

// A SIGKILL leaves the closing to the kernel: FIN where nothing was unread.
std::size_t ended(const std::vector<Pair>& pairs) {
  const auto has_ended = [](const Peer& peer) { return peer.ending() != Ending::open; };
  return static_cast<std::size_t>(std::count_if(pairs.begin(), pairs.end(), [&](const Pair& pair) {
    return has_ended(pair.client) && has_ended(pair.upstream);
  }));
}

// Milliseconds from `since` until a client is connected and its bytes have come to the upstream and
// back.
long long milliseconds_until_served(Penstock& penstock, Origin& origin, Clock::time_point since) {
  wait_until("somebody listens again", [&] {
    if (!penstock.program().running())
      throw Failure{"the new one has ended: " + penstock.program().errors()};
    try {
      talking_pairs(penstock, origin, 1);
      return true;
    } catch (const Failure& failure) {
      if (origin.somebody_waits()) throw;
      return false;
    }
  });
  return std::chrono::duration_cast<Milliseconds>(Clock::now() - since).count();
}

// The child of a test inherits this: nobody wants cores of a crash on purpose.
class NoCores {
 public:
  NoCores() {
    ::getrlimit(RLIMIT_CORE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_CORE, &none);
  }
  NoCores(const NoCores&) = delete;
  NoCores& operator=(const NoCores&) = delete;
  ~NoCores() { ::setrlimit(RLIMIT_CORE, &before_); }

 private:
  rlimit before_{};
};

int thread_called(const Program& program, const std::string& name) {
  const std::string folder = "/proc/" + std::to_string(program.id()) + "/task";
  for (const auto& task : std::filesystem::directory_iterator{folder}) {
    std::ifstream file{task.path() / "comm"};
    std::string line;
    if (std::getline(file, line) && line == name) return std::stoi(task.path().filename());
  }
  throw Failure{"no thread is called " + name};
}

std::vector<std::string> lines_with(const std::string& text, const std::string& word) {
  std::vector<std::string> found;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    if (line.find(word) != line.npos) found.push_back(line);
  return found;
}

std::string soft_core_limit(const Program& program) {
  std::ifstream file{"/proc/" + std::to_string(program.id()) + "/limits"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Max core file size")) {
      std::istringstream fields{line.substr(18)};
      std::string soft;
      fields >> soft;
      return soft;
    }
  return {};
}

struct Crash {
  int number;
  const char* name;
  const char* thread;  // which the signal is sent to
};

// What the one line said.
std::string crash(Penstock& penstock, const Crash& what) {
  const int process = penstock.program().id();
  const int thread = thread_called(penstock.program(), what.thread);
  REQUIRE(soft_core_limit(penstock.program()) == "0");
  REQUIRE(::syscall(SYS_tgkill, process, thread, what.number) == 0);
  CHECK(penstock.wait_for_end() == 128 + what.number);
  const auto lines = lines_with(penstock.program().errors(), what.name);
  INFO(penstock.program().errors());
  REQUIRE(lines.size() == 1);
  const auto says = [&](const std::string& words) {
    return lines[0].find(words) != std::string::npos;
  };
  CHECK(says("penstock " PENSTOCK_VERSION ": "));
  CHECK(says(fmt::format("sent by process {} ", ::getpid())));
  CHECK(says(fmt::format("in thread {} (process {}, thread {})", what.thread, process, thread)));
  return lines[0];
}

}  // namespace

TEST_CASE("D3 kill -9 of the proxy, and a start at once", "[faults][d]") {
  constexpr std::size_t connections = 50;
  constexpr int rounds = 5;
  Scenario scenario{"D3", "`kill -9` of the proxy with 50 connections, and a start at once",
                    "both peers of every connection see the end; the address is bound at once"};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  std::size_t saw_the_end = 0;
  long long longest = 0;
  for (int round = 0; round < rounds; ++round) {
    auto pairs = talking_pairs(penstock, origin, connections);
    const auto killed = Clock::now();
    penstock.program().signal(SIGKILL);
    REQUIRE(penstock.wait_for_end() == 128 + SIGKILL);
    penstock.start_again();
    longest = std::max(longest, milliseconds_until_served(penstock, origin, killed));
    wait_until("both peers of all see the end", [&] { return ended(pairs) == pairs.size(); });
    saw_the_end += ended(pairs);
    scenario.verdict("client", pairs[0].client.ending());
    scenario.verdict("upstream", pairs[0].upstream.ending());
  }
  CHECK(saw_the_end == rounds * connections);
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  penstock.wait_until_ready();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} times: bound and served again after at most {} ms; {} of {} "
                  "connections ended at both peers",
                  rounds, longest, saw_the_end, rounds * connections));
}

TEST_CASE("D14 a fault of the proxy", "[faults][d]") {
  constexpr std::size_t connections = 20;
  Scenario scenario{"D14", "SIGSEGV in a forwarder, SIGABRT in an acceptor, SIGBUS in control",
                    "one line that says version, signal and thread; then the end by that signal, a "
                    "core as the limits say, and a start at once"};
  const NoCores no_cores;
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  long long longest = 0;
  for (const Crash& what :
       {Crash{SIGSEGV, "SIGSEGV", "forwarder-0"}, Crash{SIGABRT, "SIGABRT", "acceptor-0"},
        Crash{SIGBUS, "SIGBUS", "penstock"}}) {
    const auto pairs = talking_pairs(penstock, origin, connections);
    const auto crashed = Clock::now();
    const std::string line = crash(penstock, what);
    penstock.start_again();
    longest = std::max(longest, milliseconds_until_served(penstock, origin, crashed));
    wait_until("both peers of all see the end", [&] { return ended(pairs) == pairs.size(); });
    scenario.saw(fmt::format("exit {} after `{}...`", 128 + what.number,
                             line.substr(0, line.find(" sent by"))));
  }
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  penstock.wait_until_ready();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("served again after at most {} ms; core limit of 0 left as given", longest));
}

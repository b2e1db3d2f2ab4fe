// C13: a start that does not get its threads.

#include <fmt/format.h>

#include <filesystem>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/network.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

// A user that nobody else here is.
constexpr unsigned user = 65'131;

std::size_t threads_of(int process) {
  const std::filesystem::directory_iterator folder{"/proc/" + std::to_string(process) + "/task"};
  return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

std::size_t threads_it_starts() {
  Penstock penstock{{.endpoints = {free_address()}}};
  return threads_of(penstock.program().id()) - 1;
}

void check_refusal(const Finished& end) {
  INFO(end.errors);
  CHECK(end.exit_code == 1);
  CHECK(end.errors.find("cannot start: ") != std::string::npos);
  CHECK(end.errors.find("thread") != std::string::npos);
  CHECK(complaint_in(end.errors) == "");
}

}  // namespace

TEST_CASE("C13 a thread cannot be created", "[faults][c]") {
  Scenario scenario{"C13", "clone3 fails at each thread in turn; RLIMIT_NPROC",
                    "a sentence on standard error, exit code 1"};
  const std::size_t threads = threads_it_starts();
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  const std::string file = folder.write(
      "penstock.yaml", yaml_from({.endpoints = {free_address()}}, free_address(), free_address()));
  const std::vector<std::string> start{penstock_binary(), "run", "-c", file};
  std::size_t injected = 0;
  std::string sentence;
  for (std::size_t k = 1; can_trace() && k <= threads; ++k, ++injected) {
    INFO("thread " << k << " of " << threads);
    std::vector<std::string> words{
        "strace",       "-f",        "-qq",
        "-o",           "/dev/null", "-e",
        "trace=clone3", "-e",        fmt::format("inject=clone3:error=EAGAIN:when={}", k)};
    words.insert(words.end(), start.begin(), start.end());
    check_refusal(run_program(words));
  }
  const Finished limited = run_program(start, {.user = user, .threads_max = 2});
  check_refusal(limited);
  const auto at = limited.errors.find("cannot start: ");
  if (at != std::string::npos)
    sentence = limited.errors.substr(at, limited.errors.find('\n', at) - at);
  scenario.saw(fmt::format("exit code 1 at each of {} threads and under RLIMIT_NPROC: \"{}\"",
                           injected, sentence));
}

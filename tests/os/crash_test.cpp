#include "os/crash.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>

#include "catch.hpp"

namespace penstock::os {

namespace {

struct Death {
  int signal = 0;  // that ended it, 0 = it exited
  std::string errors;
};

constexpr std::array crash_signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

// A process of its own that does `act` with the report in place. Without what a sanitizer or Catch
// may have put there before.
Death death_of(const std::function<void()>& act) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::dup2(ends[1], 2);
    ::prctl(PR_SET_NAME, "the-culprit");
    for (const int number : crash_signals) ::signal(number, SIG_DFL);
    report_crashes();
    act();
    ::_exit(0);
  }
  ::close(ends[1]);
  Death death;
  std::array<char, 4096> chunk;
  for (ssize_t n = 0; (n = ::read(ends[0], chunk.data(), chunk.size())) > 0;)
    death.errors.append(chunk.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  death.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
#ifdef __SANITIZE_THREAD__
  // The thread sanitizer has a handler of its own beneath ours, which holds back what is raised
  // inside: there the process exits as process 1 of a namespace does.
  if (WIFEXITED(status) && WEXITSTATUS(status) > 128) death.signal = WEXITSTATUS(status) - 128;
#endif
  return death;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// Uses up the stack; the volatile bytes keep the compiler from making a loop of it.
[[gnu::noinline]] int go_deeper(int depth) {
  if (depth < 0) return 0;
  std::array<volatile char, 4096> frame{};
  frame[0] = static_cast<char>(depth);
  return go_deeper(depth + 1) + frame[0];
}

}  // namespace

TEST_CASE("a fault is reported in one line with its address, and ends by its signal", "[os]") {
  const Death death = death_of([] { *reinterpret_cast<volatile int*>(0x10) = 1; });
  CHECK(death.signal == SIGSEGV);
  INFO(death.errors);
  CHECK(lines_in(death.errors) == 1);
  CHECK(death.errors.starts_with("penstock "));
  CHECK(death.errors.find(": SIGSEGV at address 0x10 in thread the-culprit (process ") !=
        std::string::npos);
}

TEST_CASE("every signal of a crash ends by itself after one line", "[os]") {
  for (const int number : crash_signals) {
    const Death death = death_of([number] { ::raise(number); });
    INFO(number << ": " << death.errors);
    CHECK(death.signal == number);
    CHECK(lines_in(death.errors) == 1);
    CHECK(death.errors.find(" in thread the-culprit (process ") != std::string::npos);
  }
}

TEST_CASE("abort() is reported once and ends by SIGABRT", "[os]") {
  const Death death = death_of([] { std::abort(); });
  CHECK(death.signal == SIGABRT);
  INFO(death.errors);
  CHECK(lines_in(death.errors) == 1);
}

TEST_CASE("a stack that is used up is reported as well", "[os]") {
  const Death death = death_of([] { go_deeper(0); });
  CHECK(death.signal == SIGSEGV);
  CHECK(death.errors.find(": SIGSEGV at address 0x") != std::string::npos);
}

TEST_CASE("a handler that somebody else has put there is left in place", "[os]") {
  const Death death = death_of([] {
    ::signal(SIGFPE, [](int) { ::_exit(0); });
    report_crashes();
    ::raise(SIGFPE);
  });
  CHECK(death.signal == 0);
  CHECK(death.errors.empty());
}

TEST_CASE("a stderr that is full does not keep a process that dies", "[os]") {
  const Death death = death_of([] {
    std::array<int, 2> nobody_reads{};
    if (::pipe2(nobody_reads.data(), O_NONBLOCK) != 0) ::_exit(1);
    const std::array<char, 4096> page{};
    while (::write(nobody_reads[1], page.data(), page.size()) > 0) {
    }
    ::fcntl(nobody_reads[1], F_SETFL, 0);
    ::dup2(nobody_reads[1], 2);
    ::alarm(10);  // ends a process that hangs, by another signal
    ::raise(SIGSEGV);
  });
  CHECK(death.signal == SIGSEGV);
}

}  // namespace penstock::os

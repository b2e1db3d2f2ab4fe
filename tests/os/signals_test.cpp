#include "os/signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <string>

#include "catch.hpp"

namespace penstock::os {

namespace {

constexpr std::array steering{SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

struct End {
  int code = -1;  // of exit; -1 = a signal ended it
  int signal = 0;
  std::string errors;
};

// A process of its own that holds signals and does `act`, whose answer is its exit code.
End end_of(const std::function<int()>& act) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(ends[1], 2);
    for (const int number : steering) ::signal(number, SIG_DFL);
    hold_signals();
    ::_exit(act());
  }
  ::close(ends[1]);
  End end;
  std::array<char, 4096> chunk;
  for (ssize_t n = 0; (n = ::read(ends[0], chunk.data(), chunk.size())) > 0;)
    end.errors.append(chunk.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

}  // namespace

TEST_CASE("held signals come out of the queue, those from before it was opened too", "[os]") {
  const End end = end_of([] {
    for (const int number : steering) ::raise(number);
    const auto queue = SignalQueue::open();
    if (!queue) return 1;
    std::size_t taken = 0;
    while (queue->take()) ++taken;
    ::raise(SIGUSR1);
    return taken == steering.size() && queue->take() == SIGUSR1 && !queue->take() ? 0 : 2;
  });
  CHECK(end.code == 0);
}

TEST_CASE("a held signal is kept also where whoever started us ignores it", "[os]") {
  const End end = end_of([] {
    ::signal(SIGHUP, SIG_IGN);
    ::raise(SIGHUP);
    const auto queue = SignalQueue::open();
    return queue && queue->take() == SIGHUP ? 0 : 1;
  });
  CHECK(end.code == 0);
}

TEST_CASE("held signals act when they are released", "[os]") {
  const End end = end_of([] {
    ::raise(SIGTERM);
    release_signals();
    return 0;
  });
  CHECK(end.signal == SIGTERM);
}

TEST_CASE("while the configuration is read SIGTERM and SIGINT end with a line and 0", "[os]") {
  for (const int number : {SIGTERM, SIGINT}) {
    const End end = end_of([number] {
      ::raise(number);
      const SignalsWhileReading obeyed;
      return 1;
    });
    CHECK(end.code == 0);
    CHECK(end.errors.find(number == SIGTERM ? "SIGTERM" : "SIGINT") != std::string::npos);
    CHECK(end.errors.find("it ends, nothing was opened yet\n") != std::string::npos);
  }
}

TEST_CASE("while the configuration is read other signals are answered, and calls go on", "[os]") {
  const End end = end_of([] {
    {
      const SignalsWhileReading obeyed;
      for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) ::raise(number);
    }
    ::raise(SIGTERM);  // held again
    return 7;
  });
  CHECK(end.code == 7);
  for (const std::string name : {"SIGHUP", "SIGUSR1", "SIGUSR2"})
    CHECK(end.errors.find(name + " while the configuration is read: ignored") != std::string::npos);
}

}  // namespace penstock::os

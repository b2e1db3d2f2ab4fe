// What a thread under the real lists cannot do any more, for each class of what an intruder would
// want; in a child process each, for a lock is never taken off.
#include "runtime/thread_lock.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <vector>

#include "catch.hpp"

namespace penstock::runtime {

namespace {

using Act = std::function<bool()>;  // true: it was possible

struct Class {
  const char* name;
  Act act;
};

// fork(3) without what the C library does around it: glibc 2.41 holds all signals back meanwhile.
long start_process() {
  return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
}

const std::vector<Class>& what_intruders_want() {
  static const std::vector<Class> all{
      {"run a program",
       [] {
         char* const none[]{nullptr};
         return ::execve("/bin/true", none, none) == 0;
       }},
      {"start a process", [] { return start_process() >= 0; }},
      {"open a file for writing", [] { return ::open("/dev/null", O_WRONLY) >= 0; }},
      {"read a file of the system", [] { return ::open("/etc/passwd", O_RDONLY) >= 0; }},
      {"trace a process", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }},
      {"see packets", [] { return ::socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) >= 0; }},
      {"send raw packets", [] { return ::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0; }},
      {"signal another process", [] { return ::kill(1, 0) == 0; }},
      {"listen", [] { return ::listen(::socket(AF_INET, SOCK_STREAM, 0), 1) == 0; }},
      {"become somebody", [] { return ::setuid(0) == 0; }},
      {"run memory that it wrote",
       [] {
         return ::mmap(nullptr, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                       0) != MAP_FAILED;
       }},
  };
  return all;
}

// In a child: a lock of `create`, then the act. 0 = impossible, 1 = possible, 2 = no lock, or 128
// and the signal that ended it.
int outcome(const std::function<ThreadLock::Created()>& create, const Act& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    os::forbid_new_privileges();
    const auto lock = create();
    if (!lock || lock->apply()) ::_exit(2);
    ::_exit(act() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

ThreadLock::Created forwarder_lock(os::OnRefusal on_refusal) {
  return ThreadLock::create(forwarder_calls(), {}, on_refusal);
}

}  // namespace

TEST_CASE("a locked forwarder can do nothing that an intruder wants", "[sandbox]") {
  for (const Class& wanted : what_intruders_want()) {
    CAPTURE(wanted.name);
    CHECK(outcome([] { return forwarder_lock(os::OnRefusal::report); }, wanted.act) == 0);
  }
}

TEST_CASE("a strictly locked forwarder ends the process at the first such call", "[sandbox]") {
  for (const Class& wanted : what_intruders_want()) {
    CAPTURE(wanted.name);
    const int result = outcome([] { return forwarder_lock(os::OnRefusal::kill); }, wanted.act);
    // Its list has no call that opens by a path: openat2(2) below its folders is what it has.
    CHECK(result == 128 + SIGSYS);
  }
}

TEST_CASE("a locked acceptor can do nothing that an intruder wants", "[sandbox]") {
  for (const Class& wanted : what_intruders_want()) {
    CAPTURE(wanted.name);
    CHECK(outcome([] { return ThreadLock::create(acceptor_calls(), {}, os::OnRefusal::report); },
                  wanted.act) == 0);
  }
}

TEST_CASE("a refused call fails with EPERM and is told once, with the thread", "[sandbox]") {
  CHECK(outcome([] { return forwarder_lock(os::OnRefusal::report); },
                [parent = ::getpid()] {
                  const bool failed = ::kill(parent, 0) == -1 && errno == EPERM &&
                                      ::kill(parent, 0) == -1;
                  const auto told = os::take_refusals();
                  return failed && told.size() == 1 && told.front().call == "kill" &&
                         !told.front().thread.empty() && os::take_refusals().empty();
                }) == 1);
}

TEST_CASE("a refused call ends a process that holds the signal of it back", "[sandbox]") {
  CHECK(outcome([] { return forwarder_lock(os::OnRefusal::report); },
                [] {
                  sigset_t all;
                  ::sigfillset(&all);
                  ::sigprocmask(SIG_SETMASK, &all, nullptr);
                  return start_process() >= 0;
                }) == 128 + SIGSYS);
}

TEST_CASE("a locked forwarder opens connections and pipes", "[sandbox]") {
  CHECK(outcome([] { return forwarder_lock(os::OnRefusal::kill); },
                [] {
                  std::array<int, 2> ends{};
                  return ::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) >= 0 &&
                         ::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) == 0;
                }) == 1);
}

}  // namespace penstock::runtime

#include "os/crash.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "os/last_words.hpp"

namespace penstock::os {

namespace {

struct Fatal {
  int number;
  std::string_view name;
};
constexpr Fatal fatal_signals[]{{SIGSEGV, "SIGSEGV"},
                                {SIGBUS, "SIGBUS"},
                                {SIGILL, "SIGILL"},
                                {SIGFPE, "SIGFPE"},
                                {SIGABRT, "SIGABRT"}};

constexpr std::size_t handler_stack_bytes = std::size_t{64} * 1024;

std::string_view name_of(int number) noexcept {
  for (const Fatal& fatal : fatal_signals)
    if (fatal.number == number) return fatal.name;
  return "a signal";
}

// Sent by kill(2) and its like; else the thread itself did what it must not.
bool is_sent(const siginfo_t& info) noexcept {
  return info.si_code <= 0;
}

void write_report(int number, const siginfo_t& info) noexcept {
  std::array<char, 16> thread{};
  ::prctl(PR_GET_NAME, thread.data());
  LastWords line;
  line << "penstock " PENSTOCK_VERSION ": " << name_of(number);
  if (!is_sent(info))
    (line << " at address 0x").number(reinterpret_cast<std::uintptr_t>(info.si_addr), 16);
  else if (info.si_pid != ::getpid())
    (line << " sent by process ").number(static_cast<std::uint64_t>(info.si_pid));
  line << " in thread " << thread.data() << " (process ";
  line.number(static_cast<std::uint64_t>(::getpid())) << ", thread ";
  line.number(static_cast<std::uint64_t>(::syscall(SYS_gettid)));
  line << "): the process ends here, and its connections with it; unless somebody meant to end it, "
          "report this line, what stands before it, and the core if there is one\n";
  line.write_out();
}

// From here on these signals do what they do by default: another fault ends the process without
// more words.
void restore_defaults() noexcept {
  for (const Fatal& fatal : fatal_signals) ::signal(fatal.number, SIG_DFL);
}

void on_fatal_signal(int number, siginfo_t* info, void*) noexcept {
  write_report(number, *info);
  restore_defaults();
  // Returning repeats a fault, and the core shows where it was.
  if (!is_sent(*info)) return;
  ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), number);
  // Still here: process 1 of a namespace.
  ::_exit(128 + number);
}

// The stack of the main thread may be what is used up. Never given back: it is needed to the end.
void use_another_stack() noexcept {
  void* memory = ::mmap(nullptr, handler_stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = handler_stack_bytes;
  ::sigaltstack(&stack, nullptr);
}

}  // namespace

void report_crashes() noexcept {
  use_another_stack();
  for (const Fatal& fatal : fatal_signals) {
    struct sigaction before {};
    if (::sigaction(fatal.number, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
    struct sigaction action {};
    action.sa_sigaction = on_fatal_signal;
    // SA_NODEFER: what the handler raises must end the process inside it.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    ::sigaction(fatal.number, &action, nullptr);
  }
}

}  // namespace penstock::os

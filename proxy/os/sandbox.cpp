#include "os/sandbox.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "os/fd.hpp"

namespace penstock::os {

namespace {

constexpr std::size_t call_numbers = 1024;  // of x86-64 and arm64, with room
constexpr std::size_t thread_name_bytes = 16;

// Written by signal handlers on any thread, read by one thread.
struct RefusalNote {
  std::atomic<bool> seen{false};
  std::atomic<bool> ready{false};
  std::array<char, thread_name_bytes> thread{};
};

// A signal handler gets nothing from its caller: what it writes to can only stand here.
std::array<RefusalNote, call_numbers>& notes() noexcept {
  static std::array<RefusalNote, call_numbers> all;
  return all;
}

void set_result(void* context, int error_number) noexcept {
  auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  machine.gregs[REG_RAX] = -error_number;
#elif defined(__aarch64__)
  machine.regs[0] = static_cast<std::uint64_t>(-static_cast<std::int64_t>(error_number));
#else
#error "say here where this machine returns the result of a system call"
#endif
}

// The kernel has not made the call: its caller sees what is set here.
void on_refused_call(int, siginfo_t* info, void* context) noexcept {
  // A tracer has taken the call away (its number is -1) and answers in its place: strace's fault
  // injection.
  if (info->si_syscall < 0) return;
  const auto number = static_cast<std::size_t>(info->si_syscall);
  if (number < call_numbers) {
    RefusalNote& note = notes()[number];
    if (!note.seen.exchange(true, std::memory_order_relaxed)) {
      ::prctl(PR_GET_NAME, note.thread.data());
      note.ready.store(true, std::memory_order_release);
    }
  }
  set_result(context, EPERM);
}

void listen_to_refusals() noexcept {
  struct sigaction action {};
  action.sa_sigaction = on_refused_call;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigaction(SIGSYS, &action, nullptr);
}

struct ContextEnd {
  void operator()(void* context) const noexcept { ::seccomp_release(context); }
};
using Context = std::unique_ptr<void, ContextEnd>;

std::string sentence(const char* what, int result) {
  return std::string{what} + ": " + std::strerror(-result);
}

int add_rule(void* context, const CallRule& rule) {
  const auto number = number_of_call(rule.name);
  if (!number) return 0;
  std::vector<scmp_arg_cmp> comparisons;
  for (const CallRule::Condition& one : rule.conditions)
    comparisons.push_back(scmp_arg_cmp{one.argument, SCMP_CMP_MASKED_EQ, one.mask, one.value});
  return ::seccomp_rule_add_array(context, SCMP_ACT_ALLOW, *number,
                                  static_cast<unsigned>(comparisons.size()), comparisons.data());
}

// The program goes to a file, the only place to which this library's version writes it.
bool read_program(void* context, std::vector<std::uint64_t>& program) {
  const Fd file{::memfd_create("filter", MFD_CLOEXEC)};
  if (!file || ::seccomp_export_bpf(context, file.get()) != 0) return false;
  const off_t bytes = ::lseek(file.get(), 0, SEEK_END);
  static_assert(sizeof(sock_filter) == sizeof(std::uint64_t));
  program.resize(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
  return ::pread(file.get(), program.data(), static_cast<std::size_t>(bytes), 0) == bytes;
}

}  // namespace

CallRules operator+(CallRules left, const CallRules& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::optional<int> number_of_call(const char* name) noexcept {
  const int number = ::seccomp_syscall_resolve_name(name);
  return number < 0 ? std::nullopt : std::optional{number};
}

CallFilter::Compiled CallFilter::compile(const CallRules& rules, OnRefusal on_refusal) {
  const Context context{
      ::seccomp_init(on_refusal == OnRefusal::kill ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_TRAP)};
  if (!context) return "seccomp_init failed";
  // A tree, not a line of comparisons.
  ::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const CallRule& rule : rules)
    if (const int result = add_rule(context.get(), rule); result != 0 && result != -EEXIST)
      return sentence(rule.name, result);
  CallFilter filter;
  filter.on_refusal_ = on_refusal;
  if (!read_program(context.get(), filter.program_)) return sentence("seccomp_export_bpf", -errno);
  if (on_refusal == OnRefusal::report) listen_to_refusals();
  return filter;
}

base::ErrorCode CallFilter::install() const noexcept {
  sock_fprog program{};  // the kernel copies it
  program.len = static_cast<unsigned short>(program_.size());
  program.filter = const_cast<sock_filter*>(reinterpret_cast<const sock_filter*>(program_.data()));
  // Speculation stays as it is: a filter is no reason to slow the thread down, see seccomp(2).
  const long result =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
  return result == 0 ? base::ErrorCode{} : base::error_from(errno);
}

base::ErrorCode filters_refused() noexcept {
  std::uint32_t action = SECCOMP_RET_TRAP;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0
             ? base::ErrorCode{}
             : base::error_from(errno);
}

base::ErrorCode forbid_new_privileges() noexcept {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? base::ErrorCode{}
                                                       : base::error_from(errno);
}

void forbid_dumps() noexcept {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

std::vector<Refusal> take_refusals() {
  std::vector<Refusal> refusals;
  for (std::size_t number = 0; number < call_numbers; ++number) {
    RefusalNote& note = notes()[number];
    if (!note.ready.exchange(false, std::memory_order_acquire)) continue;
    char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
    refusals.push_back(
        {.call = name == nullptr ? std::to_string(number) : name, .thread = note.thread.data()});
    ::free(name);
  }
  return refusals;
}

bool is_sanitized_build() noexcept {
#ifdef PENSTOCK_SANITIZED
  return true;
#else
  return false;
#endif
}

}  // namespace penstock::os

#pragma once
// Which system calls a thread may still make: allow-lists by seccomp. The only door to libseccomp.
//
//   forbid_new_privileges();                                    // before the first thread
//   auto filter = CallFilter::compile(calls::thread() + calls::relay(), OnRefusal::report);
//   filter->install();                                          // by each thread, for itself
//
// What the lists do not name is refused: with EPERM, and noted for take_refusals(), or by the end
// of the process. A filter is never taken off again, and threads that are started later inherit it.
//
// Thread   compile() by one thread, before the others start; install() by each for itself.
// Errors   where the kernel, or the seccomp profile of a container engine, has no filters:
//          ENOSYS, EINVAL or EPERM.
// Source   seccomp(2), prctl(2), libseccomp's seccomp_rule_add(3).

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace penstock::os {

// A call that is allowed. With a condition: only where (argument & mask) == value; several rules of
// one call add up.
struct CallRule {
  const char* name;
  struct Condition {
    unsigned argument;  // counted from 0
    std::uint64_t mask;
    std::uint64_t value;
  };
  std::vector<Condition> conditions{};  // all must hold
};
using CallRules = std::vector<CallRule>;
CallRules operator+(CallRules left, const CallRules& right);
// Empty where this machine has no such call.
std::optional<int> number_of_call(const char* name) noexcept;

enum class OnRefusal : std::uint8_t {
  report,  // EPERM, and noted; as kill where the thread blocks SIGSYS, as glibc 2.41 does in fork()
  kill     // SIGSYS ends the process; the kernel's log names the call
};

class CallFilter {
 public:
  using Compiled = base::SentenceOr<CallFilter>;
  // Throws std::bad_alloc. Errors: the sentence.
  static Compiled compile(const CallRules& rules, OnRefusal on_refusal);

  // For the calling thread. REQUIRES forbid_new_privileges().
  base::ErrorCode install() const noexcept;
  OnRefusal on_refusal() const noexcept { return on_refusal_; }

 private:
  OnRefusal on_refusal_ = OnRefusal::report;
  std::vector<std::uint64_t> program_;  // instructions of 8 bytes, as the kernel takes them
};

// Whether the kernel takes filters at all, asked without installing one.
base::ErrorCode filters_refused() noexcept;

// From here on no exec gives more rights than the process has: what unprivileged filters need.
// Threads inherit it.
base::ErrorCode forbid_new_privileges() noexcept;

// Neither a debugger of the same user nor a core sees the memory of the process.
void forbid_dumps() noexcept;

// A call that was refused; each is told once.
struct Refusal {
  std::string call;
  std::string thread;  // the first one that tried
};
// What came since the last time. Thread: one at a time.
std::vector<Refusal> take_refusals();

// True in builds whose sanitizers make calls of their own, which no list names.
bool is_sanitized_build() noexcept;

}  // namespace penstock::os

#include <numeric>

#include "tidy/pattern.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

// Every line of code in which `pattern` is found; `what` follows the text that its groups found.
Findings lines_with(const SourceFile& file, const Pattern& pattern, const std::string& what) {
  Findings findings;
  for (std::size_t i = 0; i < file.code.size(); ++i) {
    const auto match = pattern.find_in(file.code[i]);
    if (match.empty()) continue;
    const std::string found = std::accumulate(match.begin() + 1, match.end(), std::string{});
    findings.push_back({file.path, static_cast<int>(i) + 1, found + what});
  }
  return findings;
}

}  // namespace

Findings system_calls_only_in_os(const SourceFile& file) {
  // Two forms: any call into the global namespace, where only the C library lives, and bare names
  // that nothing of ours bears.
  static const Pattern pattern{
      R"((?:^|[^\w>)])(::(?!new\b|delete\b)[a-z_]\w*)\s*\()"
      R"(|(?:^|[^\w.>:])((?:setsockopt|getsockopt|getsockname|getpeername|epoll_\w+|eventfd)"
      R"(|timerfd_\w+|signalfd|accept4|ioctl|fcntl|pipe2|sendfile|sendmsg|recvmsg|vmsplice|openat2)"
      R"(|getrlimit|setrlimit|prctl|mmap|munmap|madvise|mbind|fork|execve?|waitpid|sigaction)"
      R"(|sched_\w+|pthread_\w+|io_uring_\w+))\s*\()"};
  if (!file.is_cpp() || !file.in("proxy/") || file.in("proxy/os/")) return {};
  return lines_with(file, pattern, "() belongs to os/");
}

Findings time_and_chance_only_in_os(const SourceFile& file) {
  static const Pattern pattern{
      R"((\b\w*[cC]lock\w*::now\b|\bclock_gettime\b|\bgettimeofday\b|\btimespec_get\b)"
      R"(|\bstd::time\b|\brandom_device\b|\bstd::s?rand\b|\bgetrandom\b|\bgetentropy\b)"
      // An engine without a seed; a member, which its constructor seeds, ends in an underscore.
      R"(|\b(?:mt19937|mt19937_64|minstd_rand0?|default_random_engine|ranlux\d+\w*))"
      R"((?:\s+\w*[a-zA-Z0-9])?\s*(?:;|\{\s*\}|\(\s*\))))"};
  if (!file.is_cpp() || !file.in("proxy/") || file.in("proxy/os/")) return {};
  return lines_with(file, pattern, " belongs to os/: times and seeds are passed down");
}

Findings no_sleep_in_tests(const SourceFile& file) {
  static const Pattern pattern{
      R"((\b(?:sleep_for|sleep_until|usleep|nanosleep|clock_nanosleep|sleep)\b)\s*\()"};
  // A load generator keeps a pace; it decides nothing by it.
  if (!file.is_cpp() || !file.in("tests/") || file.in("tests/bench/")) return {};
  return lines_with(file, pattern, "() guesses: wait for a fact, with a deadline");
}

}  // namespace penstock::tidy

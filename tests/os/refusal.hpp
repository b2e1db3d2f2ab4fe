#pragma once
// A process to which the kernel refuses something, for tests: in a child of its own.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <iterator>
#include <vector>

namespace penstock::testing {

// These system calls fail with EPERM, for the rest of the process.
inline void refuse_calls(const std::vector<long>& numbers) {
  std::vector<sock_filter> code{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const long number : numbers) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

// As the default seccomp profile of a container engine does.
inline void refuse_memory_policies() {
  refuse_calls({SYS_set_mempolicy, SYS_get_mempolicy, SYS_mbind, SYS_move_pages});
}

// As that of a newer container engine does.
inline void refuse_io_uring() {
  refuse_calls({SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register});
}

// As that of an older one does.
inline void refuse_landlock() {
  refuse_calls({SYS_landlock_create_ruleset, SYS_landlock_add_rule, SYS_landlock_restrict_self});
}

// Setting this option of SOL_SOCKET, for the rest of the process.
inline void refuse_socket_option(unsigned option) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 3),
      // The low half of the third argument.
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, option, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(code), .filter = code};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

// Whether the fact holds in a child process in which something is refused.
inline bool holds_in_child(const std::function<void()>& refuse, const std::function<bool()>& fact) {
  const pid_t child = ::fork();
  if (child == 0) {
    refuse();
    ::_exit(fact() ? 0 : 1);
  }
  int status = 1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

inline bool holds_without_memory_policies(const std::function<bool()>& fact) {
  return holds_in_child(refuse_memory_policies, fact);
}

}  // namespace penstock::testing

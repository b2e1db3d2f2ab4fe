#include "os/sandbox_calls.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace penstock::os::calls {

namespace {

constexpr std::uint64_t whole = 0xffffffff;  // of an int

CallRules plain(std::initializer_list<const char*> names) {
  CallRules rules;
  for (const char* name : names) rules.push_back({.name = name});
  return rules;
}

CallRules without_bits(const char* name, unsigned argument, std::uint64_t bits) {
  return {{.name = name, .conditions = {{argument, bits, 0}}}};
}

CallRules socket_of(int family, int type) {
  constexpr auto kind = whole & ~std::uint64_t{SOCK_NONBLOCK | SOCK_CLOEXEC};
  return {{.name = "socket",
           .conditions = {{0, whole, static_cast<std::uint64_t>(family)},
                          {1, kind, static_cast<std::uint64_t>(type)}}}};
}

}  // namespace

// Some names are those of one machine only: where a machine has no such call there is no rule. What
// the C library takes from the kernel without a call (clock_gettime) it calls where it must.
CallRules thread() {
  return plain({"futex",        "brk",
                "munmap",       "mremap",
                "madvise",      "clock_gettime",
                "gettimeofday", "getcpu",
                "sched_yield",  "restart_syscall",
                "rt_sigreturn", "rt_sigprocmask",
                "exit",         "exit_group",
                "getpid",       "gettid",
                "poll",         "ppoll",
                "write",        "close",
                "getrandom"}) +
         // A crash or abort() takes the handler off and raises the signal again.
         plain({"rt_sigaction"}) +
         CallRules{
             {.name = "tgkill", .conditions = {{0, whole, static_cast<std::uint64_t>(::getpid())}}},
             {.name = "prctl", .conditions = {{0, whole, PR_GET_NAME}}}} +
         // No memory that could be written is ever run.
         without_bits("mmap", 2, PROT_EXEC) + without_bits("mprotect", 2, PROT_EXEC);
}

CallRules poller() {
  return plain({"epoll_wait", "epoll_pwait", "epoll_ctl"});
}

CallRules wake_loop() {
  return plain({"epoll_ctl"});
}

CallRules loop() {
  return poller() + plain({"timerfd_settime", "read"});
}

CallRules ring() {
  return plain({"io_uring_enter"});
}

CallRules relay() {
  return plain({"splice", "pipe2", "read", "recvfrom", "recvmsg", "sendto", "sendmsg", "shutdown",
                "getpeername", "getsockopt", "setsockopt", "ioctl", "fcntl"});
}

CallRules connect() {
  return socket_of(AF_INET, SOCK_STREAM) + socket_of(AF_INET6, SOCK_STREAM) +
         socket_of(AF_UNIX, SOCK_STREAM) +
         plain({"connect", "bind", "getsockname", "getsockopt", "setsockopt"});
}

CallRules accept() {
  return plain(
      {"accept4", "getsockopt", "setsockopt", "ioctl", "newfstatat", "unlink", "unlinkat"});
}

CallRules send_files() {
  return plain({"openat2", "fstat", "newfstatat", "pread64", "sendfile"});
}

CallRules read_file() {
  constexpr std::uint64_t to_write = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
  return without_bits("openat", 2, to_write) + plain({"read", "fstat", "newfstatat"});
}

CallRules read_files() {
  return read_file() + plain({"pread64", "lseek", "getdents64", "readlink", "readlinkat",
                              "inotify_add_watch", "inotify_rm_watch"});
}

CallRules append_files() {
  return plain({"openat", "lseek"});
}

CallRules number_interfaces() {
  return socket_of(AF_INET, SOCK_DGRAM) + socket_of(AF_INET6, SOCK_DGRAM) +
         CallRules{{.name = "ioctl", .conditions = {{1, whole, SIOCGIFINDEX}}}};
}

CallRules resolve_names() {
  return socket_of(AF_INET, SOCK_DGRAM) + socket_of(AF_INET6, SOCK_DGRAM) +
         plain({"uname", "sysinfo"});
}

CallRules control() {
  return plain({"accept", "recvfrom", "recvmsg", "sendto", "sendmsg", "writev", "shutdown", "ioctl",
                "fcntl", "unlink", "unlinkat", "move_pages", "getrusage", "prlimit64"});
}

CallRules write_lines() {
  // setresuid(3) lets every thread change its ids: these are there before the others.
  return plain({"fstat", "newfstatat", "setresuid", "setresgid", "setgroups"});
}

}  // namespace penstock::os::calls

#include "os/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "os/fd.hpp"

namespace penstock::os {

namespace {

// pipe(7): the soft limit does not bind a process with one of these capabilities.
bool has_pipe_capability() noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  const auto has = [&](unsigned capability) {
    return (data[capability / 32].effective & (1U << (capability % 32))) != 0;
  };
  return has(CAP_SYS_RESOURCE) || has(CAP_SYS_ADMIN);
}

std::uint64_t read_number(const char* path) noexcept {
  const FileText file = read_file(path, 64);
  return file.error.empty() ? std::strtoull(file.text.c_str(), nullptr, 10) : 0;
}

std::uint64_t count_entries(const char* path) noexcept {
  DIR* directory = ::opendir(path);
  if (directory == nullptr) return 0;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(directory)) count += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(directory);
  return count - 1;  // the directory itself
}

}  // namespace

void fill_standard_descriptors() noexcept {
  int descriptor = ::open("/dev/null", O_RDWR);
  while (descriptor >= 0 && descriptor <= 2) descriptor = ::open("/dev/null", O_RDWR);
  if (descriptor > 2) ::close(descriptor);
}

void load_time_zone() noexcept {
  ::tzset();
}

void ignore_broken_pipes() noexcept {
  std::signal(SIGPIPE, SIG_IGN);
}

void reap_orphans() noexcept {
  std::signal(SIGCHLD, SIG_IGN);
}

std::uint64_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return descriptor_limit();
}

std::uint64_t descriptor_limit() noexcept {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

std::uint64_t pipe_user_pages_soft(bool keeps_capabilities) noexcept {
  if (keeps_capabilities && has_pipe_capability()) return 0;
  return read_number("/proc/sys/fs/pipe-user-pages-soft");
}

std::uint64_t pipe_bytes_max() noexcept {
  return read_number("/proc/sys/fs/pipe-max-size");
}

std::uint64_t address_bytes_max() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0) return RLIM_INFINITY;
  return limit.rlim_cur;  // RLIM_INFINITY is the largest number
}

std::uint64_t page_bytes() noexcept {
  return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void exit_now(int code) noexcept {
  ::_exit(code);
}

int process_id() noexcept {
  return ::getpid();
}

const char* environment(const char* name) noexcept {
  return std::getenv(name);
}

std::string host_name() {
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "";
}

bool is_terminal(int descriptor) noexcept {
  return ::isatty(descriptor) == 1;
}

void name_thread(const std::string& name) noexcept {
  ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
}

bool do_not_preempt_on_wakeup() noexcept {
  const sched_param no_priority{};
  return ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &no_priority) == 0;
}

namespace {

constexpr int pipe_patience_seconds = 10;

FileText is_wrong(std::string sentence) {
  return {.text = {}, .error = std::move(sentence)};
}

FileText cannot(const char* verb) {
  return is_wrong(std::string{"cannot "} + verb + ": " + std::strerror(errno));
}

// False where a pipe stayed silent for so long, and open.
bool comes_soon(int pipe) noexcept {
  pollfd readable{.fd = pipe, .events = POLLIN, .revents = 0};
  constexpr int milliseconds = pipe_patience_seconds * 1000;
  return ::poll(&readable, 1, milliseconds) != 0;
}

// To its end.
FileText read_all(int file, std::size_t bytes_max, bool is_pipe) {
  std::string text(bytes_max + 1, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    if (is_pipe && !comes_soon(file))
      return is_wrong("nothing came for " + std::to_string(pipe_patience_seconds) +
                      " s, and its writer has not closed it");
    const ssize_t count = ::read(file, text.data() + filled, text.size() - filled);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return cannot("read");
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  if (filled > bytes_max) return is_wrong("is larger than " + std::to_string(bytes_max) + " bytes");
  text.resize(filled);
  return {.text = std::move(text), .error = {}};
}

FileText read_what_is_open(const Fd& file, std::size_t bytes_max, bool may_be_pipe) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return cannot("read");
  const bool is_regular = S_ISREG(status.st_mode);
  if (!is_regular && !may_be_pipe) return is_wrong("is not a regular file");
  FileText read = read_all(file.get(), bytes_max, !is_regular);
  constexpr mode_t for_others = 0077;
  read.is_private = (status.st_mode & for_others) == 0;
  return read;
}

// O_NONBLOCK: opening a FIFO must not wait for a writer.
Fd open_to_read(const std::string& path) noexcept {
  return Fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
}

}  // namespace

FileText read_file(const std::string& path, std::size_t bytes_max) {
  const Fd file = open_to_read(path);
  return file ? read_what_is_open(file, bytes_max, false) : cannot("open");
}

FileText read_file_or_pipe(const std::string& path, std::size_t bytes_max) {
  const Fd file = path == "-" ? Fd{::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)} : open_to_read(path);
  return file ? read_what_is_open(file, bytes_max, true) : cannot("open");
}

ProcessUsage process_usage() {
  ProcessUsage usage;
  rusage times{};
  ::getrusage(RUSAGE_SELF, &times);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  usage.cpu_seconds = seconds(times.ru_utime) + seconds(times.ru_stime);
  unsigned long long virtual_pages = 0;
  unsigned long long resident_pages = 0;
  const FileText statm = read_file("/proc/self/statm", 256);
  if (std::sscanf(statm.text.c_str(), "%llu %llu", &virtual_pages, &resident_pages) == 2) {
    usage.virtual_bytes = virtual_pages * page_bytes();
    usage.resident_bytes = resident_pages * page_bytes();
  }
  usage.open_descriptors = count_entries("/proc/self/fd");
  return usage;
}

}  // namespace penstock::os

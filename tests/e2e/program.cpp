#include "e2e/program.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "os/refusal.hpp"

namespace penstock::e2e {

namespace {

namespace fs = std::filesystem;

std::string find_program(const std::string& name) {
  if (name.find('/') != name.npos) return name;
  for (const char* folder : {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"})
    if (fs::exists(fs::path{folder} / name)) return fs::path{folder} / name;
  return {};
}

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_with_errno("pipe");
  return {ends[0], ends[1]};
}

// In the child, between fork and exec: only system calls.
void write_text(const char* path, const char* text) {
  const int file = ::open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || ::write(file, text, std::strlen(text)) < 0) ::_exit(125);
  ::close(file);
}

// From Linux 6.1 on exec() enters the time namespace; before, only a child does.
void move_monotonic_clock(long seconds) {
  if (seconds == 0) return;
  if (::unshare(CLONE_NEWTIME) != 0) ::_exit(125);
  std::array<char, 64> line{};
  std::snprintf(line.data(), line.size(), "monotonic %ld 0", seconds);
  write_text("/proc/self/timens_offsets", line.data());
}

void see_as_resolv_conf(const char* file) {
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount(file, "/etc/resolv.conf", nullptr, MS_BIND, nullptr) != 0)
    ::_exit(125);
}

void limit_to(__rlimit_resource resource, std::size_t value) {
  const rlimit limit{value, value};
  if (value != 0) ::setrlimit(resource, &limit);
}

void leave_open(int last) {
  // What the tests themselves were given goes no further.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (last == 0) return;
  const int null = ::open("/dev/null", O_RDWR);
  for (int descriptor = 3; descriptor <= last; ++descriptor) ::dup2(null, descriptor);
  if (null > last) ::close(null);
}

// With its last capability a process also loses the right to walk to the program: it is opened
// before.
void become_user(unsigned user, int program, char* const* arguments, char* const* environment) {
  if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
      ::setresuid(user, user, user) != 0)
    ::_exit(125);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of the user takes it away
  ::fexecve(program, arguments, environment);
}

// The child of clone(2) is process 1 of the new namespace; unshare(2) would need a fork in between.
pid_t fork_for(const Program::Options& options) {
  if (!options.is_process_one) return ::fork();
  return static_cast<pid_t>(
      ::syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

// Ends with the null that execve() wants. The strings stay those of `words` and of ours.
std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Where a name stands twice the first one holds.
std::vector<char*> environment_with(const std::vector<std::string>& more) {
  std::vector<char*> all = pointers_to(more);
  all.pop_back();
  for (char** entry = environ; *entry != nullptr; ++entry) all.push_back(*entry);
  all.push_back(nullptr);
  return all;
}

[[noreturn]] void become(char* const* arguments, char* const* environment,
                         const Program::Options& options, const std::array<int, 3>& streams) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(126);
  limit_to(RLIMIT_NOFILE, options.descriptors_max);
  limit_to(RLIMIT_NPROC, options.threads_max);
  for (int stream = 0; stream < 3; ++stream) {
    if (options.closed_descriptors)
      ::close(stream);
    else
      ::dup2(streams[static_cast<std::size_t>(stream)], stream);
  }
  leave_open(options.inherited_up_to);
  move_monotonic_clock(options.monotonic_offset_s);
  if (!options.resolv_conf.empty()) see_as_resolv_conf(options.resolv_conf.c_str());
  if (!options.control_group.empty()) write_text(options.control_group.c_str(), "0");
  if (options.no_memory_policies) testing::refuse_memory_policies();
  if (options.no_io_uring) testing::refuse_io_uring();
  if (options.no_landlock) testing::refuse_landlock();
  ::signal(SIGPIPE, SIG_DFL);
  if (options.user != 0)
    become_user(options.user, ::open(arguments[0], O_PATH | O_CLOEXEC), arguments, environment);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

}  // namespace

bool has_program(const std::string& name) {
  return !find_program(name).empty();
}

void Program::Stream::listen() {
  reader = std::thread{[this] {
    std::array<char, 65536> chunk;
    for (;;) {
      const auto bytes = ::read(descriptor, chunk.data(), chunk.size());
      if (bytes < 0 && errno == EINTR) continue;
      if (bytes <= 0) return;
      const std::lock_guard lock{mutex};
      text.append(chunk.data(), static_cast<std::size_t>(bytes));
    }
  }};
}

void Program::Stream::end() {
  if (reader.joinable()) reader.join();
  if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
}

std::string Program::Stream::copy() const {
  const std::lock_guard lock{mutex};
  return text;
}

Program::Program(std::vector<std::string> words, Options options) {
  const std::string path = find_program(words.at(0));
  if (path.empty()) throw Failure{words[0] + " is not installed"};
  words[0] = path;
  start(words, options);
}

void Program::start(const std::vector<std::string>& words, const Options& options) {
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> environment = environment_with(options.environment);
  const Pipe input = make_pipe();
  const Pipe output = make_pipe();
  const Pipe errors = make_pipe();
  process_ = fork_for(options);
  if (process_ < 0) fail_with_errno("fork");
  if (process_ == 0)
    become(arguments.data(), environment.data(), options,
           {input.read_end, output.write_end, errors.write_end});
  for (const int descriptor : {input.read_end, output.write_end, errors.write_end})
    ::close(descriptor);
  const auto written = ::write(input.write_end, options.input.data(), options.input.size());
  ::close(input.write_end);
  if (written != static_cast<ssize_t>(options.input.size())) throw Failure{"stdin was not taken"};
  output_.descriptor = output.read_end;
  errors_.descriptor = errors.read_end;
  if (!options.unread_output) output_.listen();
  errors_.listen();
}

Program::~Program() {
  if (!ended_ && process_ > 0) {
    ::kill(process_, SIGKILL);
    ::kill(process_, SIGCONT);
    int status = 0;
    ::waitpid(process_, &status, 0);
  }
  output_.end();
  errors_.end();
}

void Program::signal(int number) const {
  if (ended_ || ::kill(process_, number) != 0) throw Failure{"the program has already ended"};
}

bool Program::running() {
  if (ended_) return false;
  int status = 0;
  if (::waitpid(process_, &status, WNOHANG) != process_) return true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ended_ = true;
  return false;
}

int Program::wait(Milliseconds deadline) {
  wait_until(
      "the program ends; stderr so far: " + errors(), [&] { return !running(); }, deadline);
  output_.end();
  errors_.end();
  return exit_code_;
}

std::string Program::output() const {
  return output_.copy();
}
std::string Program::errors() const {
  return errors_.copy();
}

double Program::cpu_seconds() const {
  std::ifstream file{"/proc/" + std::to_string(process_) + "/stat"};
  std::string line;
  std::getline(file, line);
  // The name, in parentheses, may hold spaces; utime and stime are fields 14 and 15.
  std::istringstream fields{line.substr(line.rfind(')') + 2)};
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::size_t Program::descriptors() const {
  const fs::directory_iterator folder{"/proc/" + std::to_string(process_) + "/fd"};
  return static_cast<std::size_t>(std::distance(begin(folder), end(folder)));
}

std::string Program::status_line(const std::string& key) const {
  std::ifstream file{"/proc/" + std::to_string(process_) + "/status"};
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key + ":"))
      return line.substr(line.find_first_not_of(" \t", key.size() + 1));
  return {};
}

Finished run_program(std::vector<std::string> words, Program::Options options,
                     Milliseconds deadline) {
  Program program{std::move(words), std::move(options)};
  const int exit_code = program.wait(deadline);
  return {exit_code, program.output(), program.errors()};
}

}  // namespace penstock::e2e

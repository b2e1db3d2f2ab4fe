#pragma once
// A program that runs beside the test: started, heard, signalled, and ended with a deadline.
//
// Owner    the test. What still runs when this object goes is killed.
// Thread   the test's; output is collected by threads of this object.

#include <sys/types.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

// The folders in which root's programs lie are searched, too.
bool has_program(const std::string& name);

class Program {
 public:
  struct Options {
    bool unread_output = false;       // stdout is a pipe that nobody reads
    bool closed_descriptors = false;  // 0 to 2 are closed at the start
    std::size_t descriptors_max = 0;  // RLIMIT_NOFILE, soft and hard; 0 = ours
    int inherited_up_to = 0;          // descriptors 3 to this one are open at the start, /dev/null
    long monotonic_offset_s = 0;      // added to the monotonic clock, by a time namespace
    unsigned user = 0;                // and group; without any capability; 0 = ours
    std::size_t threads_max = 0;      // RLIMIT_NPROC, which binds a user but root; 0 = ours
    std::string control_group{};      // cgroup.procs of the group to enter; empty = ours
    bool no_memory_policies = false;  // refused, as a container engine's seccomp profile does
    bool no_io_uring = false;         // likewise, as a newer engine's does
    bool no_landlock = false;         // likewise, as an older engine's does
    bool is_process_one = false;      // of a process namespace of its own, as in a container
    std::string resolv_conf{};  // seen at /etc/resolv.conf, by a mount namespace; empty = ours
    std::vector<std::string> environment{};  // NAME=VALUE, added to ours
    std::string directory{};                 // empty = ours
    std::string input{};                     // on stdin
  };
  Program(std::vector<std::string> words, Options options);
  explicit Program(std::vector<std::string> words) : Program{std::move(words), Options{}} {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  void signal(int number) const;
  bool running();
  // The exit code, or 128 and the number of the signal that ended it.
  int wait(Milliseconds deadline = soon);

  // What it wrote so far; all of it once wait() has returned.
  std::string output() const;
  std::string errors() const;

  int id() const noexcept { return process_; }
  double cpu_seconds() const;                             // user and system, so far
  std::size_t descriptors() const;                        // open now
  std::string status_line(const std::string& key) const;  // of /proc/PID/status

 private:
  struct Stream {
    int descriptor = -1;
    mutable std::mutex mutex;
    std::string text;
    std::thread reader;
    void listen();
    void end();
    std::string copy() const;
  };
  void start(const std::vector<std::string>& words, const Options& options);

  pid_t process_ = -1;
  int exit_code_ = -1;
  bool ended_ = false;
  Stream output_;
  Stream errors_;
};

struct Finished {
  int exit_code;
  std::string output;
  std::string errors;
};
Finished run_program(std::vector<std::string> words, Program::Options options = {},
                     Milliseconds deadline = 60s);

}  // namespace penstock::e2e

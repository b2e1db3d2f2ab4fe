#pragma once
// The process as a whole: what must be so before the first thread starts, and its limits.

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace penstock::os {

// Opens descriptors 0 to 2 on /dev/null where they are closed: otherwise the first client socket
// would become "stderr" and receive our messages.
void fill_standard_descriptors() noexcept;

// splice(2) has no MSG_NOSIGNAL. Call before the first thread starts.
void ignore_broken_pipes() noexcept;

// As process 1 of a container penstock inherits orphans: the kernel reaps them. Call before the
// first thread starts.
void reap_orphans() noexcept;

// Raises the soft limit of descriptors to the hard one; returns what holds now.
std::uint64_t raise_descriptor_limit() noexcept;
std::uint64_t descriptor_limit() noexcept;

// fs.pipe-user-pages-soft, or 0 where this process is not bound by it or it cannot be read. Who
// gives up its capabilities will be bound.
std::uint64_t pipe_user_pages_soft(bool keeps_capabilities) noexcept;
// fs.pipe-max-size, or 0 where it cannot be read. Who may go beyond it does not.
std::uint64_t pipe_bytes_max() noexcept;
std::uint64_t page_bytes() noexcept;
// What RLIMIT_AS (ulimit -v) allows; the largest number where it sets no limit.
std::uint64_t address_bytes_max() noexcept;

// Ends the process without running destructors, for the case that a log target is stuck.
[[noreturn]] void exit_now(int code) noexcept;

int process_id() noexcept;

// The value of an environment variable, or nullptr.
const char* environment(const char* name) noexcept;
// As uname(2) says it; with its domain where it was given one.
std::string host_name();
bool is_terminal(int descriptor) noexcept;

// Reads the files that the C library would read when a time is first broken into parts (tzset(3)).
// For the main thread: threads that start afterwards write times without opening a file.
void load_time_zone() noexcept;

// Names the calling thread for ps and top; at most 15 characters.
void name_thread(const std::string& name) noexcept;

// The calling thread no longer preempts others when it wakes up; it runs when they sleep or their
// slice ends (SCHED_BATCH, sched(7)). Its share of the CPU stays the same. False where that is
// refused.
bool do_not_preempt_on_wakeup() noexcept;

// A file of at most `bytes_max`, whole. Errors: the sentence.
struct FileText {
  std::string text;
  std::string error;        // empty on success
  bool is_private = false;  // nobody but its owner and root may read it
};
FileText read_file(const std::string& path, std::size_t bytes_max);
// Of a pipe too, and of standard input where `path` is "-". Blocks: start-up only; a writer that
// pauses for 10 s is an error.
FileText read_file_or_pipe(const std::string& path, std::size_t bytes_max);

// /proc/self figures for the usual process_* metrics.
struct ProcessUsage {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
};
ProcessUsage process_usage();

}  // namespace penstock::os

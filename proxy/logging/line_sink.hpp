#pragma once
// Lines that leave the process: to standard output, standard error or a file, as they are.
//
// They go to a thread of the sink's own through a bounded queue. A reader that is blocked or a disk
// that is full never delays the caller: the oldest waiting lines are dropped and counted.
//
// Owner    the log or the access log. Thread: control is the only caller.
// Limits   log_queue_lines wait unless the owner asks for fewer.
// Errors   what the target refuses is counted as dropped, and take_error() says why.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "logging/severity.hpp"

namespace penstock::logging {

inline constexpr std::size_t log_queue_lines = 8192;

class LineSink {
 public:
  using Opened = base::SentenceOr<std::unique_ptr<LineSink>>;

  // `target` is stdout, stderr or the path of a file, which is created or appended to. Errors: the
  // sentence that a user should read.
  // `on_thread_start` is called on the thread that will write, before its first line.
  static Opened open(const std::string& target, std::size_t queue_lines = log_queue_lines,
                     const std::function<void()>& on_thread_start = {});
  LineSink(const LineSink&) = delete;
  LineSink& operator=(const LineSink&) = delete;
  // Waits for the target. REQUIRES, where that could take for ever: flush() answered true.
  // Otherwise the process ends by os::exit_now().
  ~LineSink();

  // `line` without its newline. Never blocks.
  void write(std::string_view line);

  // Lines that never reached the target: the queue was full, or the target refused them. One that
  // it took the half of is no such line: its rest goes out first when there is room again.
  std::uint64_t dropped() const;

  // True when every line so far was written or dropped; false where `patience` passed before.
  bool flush(base::Duration patience);

  // A file is opened again by its name, for a program that rotates logs: by the thread that writes,
  // at once, unless it is blocked. Where that fails the old file stays in use, and take_error()
  // tells. False where the target is no file.
  bool reopen();

  // The last error of the target since the last call, as a sentence; empty where there was none.
  std::string take_error();

 private:
  friend class Log;  // its lines have a time and a level
  struct Parts;
  explicit LineSink(std::unique_ptr<Parts> parts);
  void use_pattern(const std::string& pattern, bool colour);
  void write(Severity severity, std::string_view line);
  std::unique_ptr<Parts> parts_;
};

}  // namespace penstock::logging

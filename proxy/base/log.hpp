#pragma once
// Lines that leave the process: the only door to spdlog.
//
// LineSink   lines as they are, to standard output, standard error or a file: the access log.
// Log        what penstock says of itself, on standard error, with time and level.
//
// Both hand their lines to a thread of their own through a bounded queue. A reader that is blocked
// or a disk that is full never delays the caller: the oldest waiting lines are dropped and counted.
//
// Thread   the control thread is the only caller.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/enum_names.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace penstock::base {

inline constexpr std::size_t log_queue_lines = 8192;

class LineSink {
 public:
  using Opened = SentenceOr<std::unique_ptr<LineSink>>;

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
  bool flush(Duration patience);

  // A file is opened again by its name, for a program that rotates logs: by the thread that writes,
  // at once, unless it is blocked. Where that fails the old file stays in use, and take_error()
  // tells. False where the target is no file.
  bool reopen();

  // The last error of the target since the last call, as a sentence; empty where there was none.
  std::string take_error();

 private:
  friend class Log;
  struct Parts;
  explicit LineSink(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

enum class Severity : std::uint8_t { debug, info, warning, error };
inline constexpr EnumNames<Severity, 4> severity_names{{"debug", "info", "warning", "error"}};
static_assert(severity_names[Severity::error] == "error");

class Log {
 public:
  struct Options {
    Severity level = Severity::info;          // what lies below is not written
    bool json = false;                        // one object a line: time, level, message
    bool colour = false;                      // of the level, in text
    std::function<void()> on_thread_start{};  // see LineSink::open()
  };
  explicit Log(const Options& options);
  // The same lines to a file, for tests. Throws std::runtime_error where it cannot be opened.
  Log(const Options& options, const std::string& target);

  void debug(std::string_view message) { write(Severity::debug, message); }
  void info(std::string_view message) { write(Severity::info, message); }
  void warning(std::string_view message) { write(Severity::warning, message); }
  void error(std::string_view message) { write(Severity::error, message); }

  // As in LineSink.
  bool flush(Duration patience) { return sink_->flush(patience); }

 private:
  void write(Severity severity, std::string_view message);
  const Options options_;
  std::unique_ptr<LineSink> sink_;
};

// Appends `text` as a JSON string with its quotes; a byte that is not UTF-8 as \\xNN.
void append_json_string(std::string& out, std::string_view text);

}  // namespace penstock::base

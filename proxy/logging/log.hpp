#pragma once
// What penstock says of itself, on standard error: a line with time and level, or a JSON object.
//
// Owner    main, for as long as there is something to say. Thread: control is the only caller.
// Limits   log_lines_waiting lines wait for a reader that is blocked; see LineSink.
// Errors   none: what the target refuses is lost, and the access log's sink counts its own.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "logging/line_sink.hpp"
#include "logging/severity.hpp"

namespace penstock::logging {

inline constexpr std::size_t log_lines_waiting = 1024;

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
  bool flush(base::Duration patience) { return sink_->flush(patience); }

 private:
  void write(Severity severity, std::string_view message);
  const Options options_;
  std::unique_ptr<LineSink> sink_;
};

}  // namespace penstock::logging

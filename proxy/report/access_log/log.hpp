#pragma once
// The access log: turns records into lines and hands them to their target.
//
// Thread   control. Limit: logging::log_queue_lines lines wait; then the oldest are dropped and
//          counted.

#include <memory>
#include <string>
#include <vector>

#include "logging/line_sink.hpp"
#include "base/result.hpp"
#include "report/access_log/format.hpp"
#include "report/options.hpp"
#include "runtime/options.hpp"
#include "session/context.hpp"

namespace penstock::report {

// Which records the forwarders are to send, worked out from `log.access`.
session::LogSwitches log_switches(const LogOptions& options);

// Of every listener, in the order of the configuration.
std::vector<ListenerNames> names_of(const runtime::ServerSpec& spec);

class AccessLog {
 public:
  using Opened = base::SentenceOr<std::unique_ptr<AccessLog>>;
  // Errors: the sentence that a user should read. `off` opens nothing and writes nothing.
  static Opened open(const LogOptions& options, std::vector<ListenerNames> names,
                     const std::function<void()>& on_thread_start = {});

  void write(const session::Record& record);
  std::uint64_t dropped() const { return sink_ ? sink_->dropped() : 0; }
  bool flush(base::Duration patience) { return !sink_ || sink_->flush(patience); }
  // False where it is no file.
  bool reopen() { return sink_ && sink_->reopen(); }
  std::string take_error() { return sink_ ? sink_->take_error() : std::string{}; }

 private:
  AccessLog(LogFormat format, std::vector<ListenerNames> names)
      : format_{format}, names_{std::move(names)} {}
  const LogFormat format_;
  const std::vector<ListenerNames> names_;
  std::unique_ptr<logging::LineSink> sink_;  // none where the log is off
};

}  // namespace penstock::report

#include "logging/log.hpp"

#include <stdexcept>

#include "base/text.hpp"

namespace penstock::logging {

Log::Log(const Options& options) : Log{options, "stderr"} {}

Log::Log(const Options& options, const std::string& target) : options_{options} {
  auto opened = LineSink::open(target, log_lines_waiting, options.on_thread_start);
  if (!opened) throw std::runtime_error{opened.error()};
  sink_ = std::move(*opened);
  sink_->use_pattern(options.json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":%v})"
                                  : "%Y-%m-%dT%H:%M:%S.%fZ %^%l%$ %v",
                     options.colour && !options.json);
}

void Log::write(Severity severity, std::string_view message) {
  if (severity < options_.level) return;
  // Words of a name server, an endpoint or a file may be among it: a line stays one line.
  std::string shown;
  if (options_.json)
    base::append_json_string(shown, message);
  else if (!base::is_plain_text(message))
    shown = base::printable(message);
  sink_->write(severity, shown.empty() ? message : std::string_view{shown});
}

}  // namespace penstock::logging

#include "report/access_log/log.hpp"

namespace penstock::report {

session::LogSwitches log_switches(const LogOptions& options) {
  const bool on = options.access_to != "off";
  return {.open = on && options.access_open,
          .close = on && options.access_close,
          .sample = options.access_sample};
}

std::vector<ListenerNames> names_of(const runtime::ServerSpec& spec) {
  std::vector<ListenerNames> names;
  for (const auto& listener : spec.listeners)
    names.push_back({.listener = listener.session.name, .upstream = listener.session.upstream});
  return names;
}

AccessLog::Opened AccessLog::open(const LogOptions& options, std::vector<ListenerNames> names,
                                  const std::function<void()>& on_thread_start) {
  std::unique_ptr<AccessLog> log{new AccessLog{options.format, std::move(names)}};
  if (options.access_to == "off") return log;
  auto sink = logging::LineSink::open(options.access_to, logging::log_queue_lines, on_thread_start);
  if (!sink) return sink.error();
  log->sink_ = std::move(*sink);
  return log;
}

void AccessLog::write(const session::Record& record) {
  if (sink_) sink_->write(format_record(record, names_.at(record.listener), format_));
}

}  // namespace penstock::report

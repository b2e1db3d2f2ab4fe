#include "base/version.hpp"
#include "report/metrics/parts.hpp"
#include "runtime/round_times.hpp"
#include "session/counters.hpp"

namespace penstock::report {

void add_process_metrics(const MetricsInput& input, const SessionTotals& sessions,
                         std::string& text) {
  const auto add = [&](Family::Kind kind, std::string_view name, std::string_view help,
                       double value) {
    Family{text, kind, name, help}.add({}, value);
  };
  Family{text, Family::Kind::gauge, "penstock_build_info", "1, with the version as a label."}.add(
      {{"version", base::version()}}, 1.0);
  Family{text, Family::Kind::gauge, "penstock_config_info",
         "1, with a hash of the configuration in effect as a label."}
      .add({{"hash", input.config_hash}}, 1.0);
  Family used{text, Family::Kind::gauge, "penstock_budget_used_ratio",
              "Share of a limit that is used, from 0 to 1; 0 where there is no limit."};
  for (const auto& [resource, ratio] : input.budget_used) used.add({{"resource", resource}}, ratio);
  add(Family::Kind::counter, "penstock_access_log_lines_dropped_total",
      "Lines that the access log could not take: its target or control was too slow.",
      static_cast<double>(sessions.records_dropped + input.log_lines_dropped));
  add(Family::Kind::counter, "penstock_control_blocked_total",
      "Calls of control's loop that took longer than 50 ms.",
      static_cast<double>(input.control_blocked));
  add(Family::Kind::counter, "process_cpu_seconds_total", "User and system CPU time spent.",
      input.process.cpu_seconds);
  add(Family::Kind::gauge, "process_resident_memory_bytes", "Resident memory.",
      static_cast<double>(input.process.resident_bytes));
  add(Family::Kind::gauge, "process_virtual_memory_bytes", "Virtual memory.",
      static_cast<double>(input.process.virtual_bytes));
  add(Family::Kind::gauge, "process_open_fds", "Open descriptors.",
      static_cast<double>(input.process.open_descriptors));
  add(Family::Kind::gauge, "process_max_fds", "Limit of open descriptors.",
      static_cast<double>(input.descriptor_limit));
  add(Family::Kind::gauge, "process_start_time_seconds", "Start, in seconds since 1970.",
      input.start_seconds);
}

}  // namespace penstock::report

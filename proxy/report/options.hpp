#pragma once
// What the logs are like: `log` of the configuration. Plain values; they belong to no thread.

#include <cstdint>
#include <string>

#include "base/enum_names.hpp"

namespace penstock::report {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
inline constexpr base::EnumNames<LogLevel, 4> log_level_names{
    {"debug", "info", "warning", "error"}};
static_assert(log_level_names[LogLevel::error] == "error");

enum class LogFormat : std::uint8_t { text, json };
inline constexpr base::EnumNames<LogFormat, 2> log_format_names{{"text", "json"}};
static_assert(log_format_names[LogFormat::json] == "json");

struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;  // of both the log on stderr and the access log
  std::string access_to = "stdout";    // stdout | stderr | off | a file
  bool access_open = false;            // which events are written
  bool access_close = true;
  double access_sample = 1.0;  // share of connections
  bool operator==(const LogOptions&) const = default;
};

}  // namespace penstock::report

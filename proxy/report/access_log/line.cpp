#include "report/access_log/line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"

namespace penstock::report {

namespace {

// A value that could be taken for two, or for another key, is quoted.
bool must_quote(std::string_view value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= ' ' || byte == 0x7f || c == '"' || c == '=';
         });
}

}  // namespace

void LogLine::begin(std::string_view key) {
  if (!first_) text_ += json_ ? ',' : ' ';
  first_ = false;
  if (json_) base::append_json_string(text_, key);
  if (!json_) text_ += key;
  text_ += json_ ? ':' : '=';
}

void LogLine::word(std::string_view key, std::string_view value) {
  begin(key);
  if (json_ || must_quote(value))
    base::append_json_string(text_, value);
  else
    text_ += value;
}

void LogLine::words(std::string_view key, std::span<const std::string_view> values) {
  if (values.empty()) return;
  if (!json_) return word(key, fmt::format("{}", fmt::join(values, ",")));
  begin(key);
  text_ += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text_ += ',';
    base::append_json_string(text_, values[i]);
  }
  text_ += ']';
}

void LogLine::number(std::string_view key, std::uint64_t value) {
  begin(key);
  fmt::format_to(std::back_inserter(text_), "{}", value);
}

void LogLine::flag(std::string_view key, bool value) {
  begin(key);
  text_ += value ? "true" : "false";
}

void LogLine::milliseconds(std::string_view key, base::Duration value) {
  begin(key);
  fmt::format_to(std::back_inserter(text_), "{:.3f}", static_cast<double>(value.count()) * 1e-6);
}

void LogLine::microseconds(std::string_view key, base::Duration value) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
  number(key, static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0)));
}

}  // namespace penstock::report

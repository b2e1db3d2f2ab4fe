#pragma once
// Builds one line of key and value, in the text or the JSON form. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "report/options.hpp"

namespace penstock::report {

class LogLine {
 public:
  explicit LogLine(LogFormat format) : json_{format == LogFormat::json} {
    if (json_) text_ = "{";
  }

  void word(std::string_view key, std::string_view value);
  void words(std::string_view key, std::span<const std::string_view> values);  // none: left out
  void number(std::string_view key, std::uint64_t value);
  void flag(std::string_view key, bool value);
  void milliseconds(std::string_view key, base::Duration value);  // with 3 decimals
  void microseconds(std::string_view key, base::Duration value);

  // The line is finished then.
  std::string take() {
    if (json_) text_ += '}';
    return std::move(text_);
  }

 private:
  void begin(std::string_view key);
  bool json_;
  bool first_ = true;
  std::string text_;
};

}  // namespace penstock::report

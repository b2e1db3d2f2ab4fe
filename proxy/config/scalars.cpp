#include "config/scalars.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/sizes.hpp"
#include "base/text.hpp"

namespace penstock::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> duration_units{{{"us", 1'000},
                                              {"ms", 1'000'000},
                                              {"s", 1'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"h", 3'600'000'000'000}}};
constexpr std::array<Unit, 5> size_units{
    {{"", 1}, {"B", 1}, {"KiB", base::kibibyte}, {"MiB", base::mebibyte}, {"GiB", base::gibibyte}}};

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

enum class Digits : std::uint8_t { good, none, leading_zero, overflow };

// Takes the digits at the front of `text`.
Digits take_integer(std::string_view& text, std::uint64_t& value) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  if (count == 0) return Digits::none;
  if (count > 1 && text.front() == '0') return Digits::leading_zero;
  const auto parsed = std::from_chars(text.data(), text.data() + count, value);
  if (parsed.ec != std::errc{}) return Digits::overflow;
  text.remove_prefix(count);
  return Digits::good;
}

std::string leading_zero(std::string_view text) {
  return base::in_quotes(text) + " has a leading zero; integers are decimal";
}

// An integer and one of `units`, at most `highest`. An empty sentence of `expected` means success.
template <std::size_t N>
std::string take_quantity(std::string_view text, const std::array<Unit, N>& units,
                          std::uint64_t highest, const std::string& expected,
                          std::uint64_t& target) {
  std::string_view rest = text;
  std::uint64_t value = 0;
  switch (take_integer(rest, value)) {
    case Digits::good: break;
    case Digits::none: return expected + ", not " + base::in_quotes(text);
    case Digits::leading_zero: return leading_zero(text);
    case Digits::overflow: return base::in_quotes(text) + " is too large";
  }
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [rest](const Unit& each) { return each.name == rest; });
  const bool is_bare_zero = value == 0 && rest.empty();
  if (unit == units.end() && !is_bare_zero) return expected + ", not " + base::in_quotes(text);
  const std::uint64_t factor = is_bare_zero ? 1 : unit->factor;
  if (value > highest / factor) return base::in_quotes(text) + " is too large";
  target = value * factor;
  return {};
}

}  // namespace

std::string parse_integer(std::string_view text, std::uint64_t lowest, std::uint64_t highest,
                          std::uint64_t& target) {
  std::string_view rest = text;
  std::uint64_t value = 0;
  const Digits digits = take_integer(rest, value);
  if (digits == Digits::leading_zero) return leading_zero(text);
  if (digits != Digits::good || !rest.empty() || value < lowest || value > highest)
    return "expected a whole number from " + std::to_string(lowest) + " to " +
           std::to_string(highest) + ", not " + base::in_quotes(text);
  target = value;
  return {};
}

std::string parse_duration(std::string_view text, base::Duration& target) {
  std::uint64_t nanoseconds = 0;
  std::string sentence =
      take_quantity(text, duration_units, static_cast<std::uint64_t>(duration_max.count()),
                    "expected a duration, an integer with us, ms, s, m or h", nanoseconds);
  if (sentence.empty()) target = base::Duration{static_cast<base::Duration::rep>(nanoseconds)};
  return sentence;
}

std::string parse_size(std::string_view text, std::uint64_t lowest, std::uint64_t highest,
                       std::uint64_t& target) {
  std::uint64_t bytes = 0;
  std::string sentence =
      take_quantity(text, size_units, UINT64_MAX,
                    "expected a size, an integer with B, KiB, MiB, GiB or nothing", bytes);
  if (!sentence.empty()) return sentence;
  if (bytes < lowest || bytes > highest)
    return "expected a size from " + size_text(lowest) + " to " + size_text(highest) + ", not " +
           base::in_quotes(text);
  target = bytes;
  return {};
}

std::string parse_percent(std::string_view text, double& target) {
  std::string_view rest = text;
  std::uint64_t value = 0;
  const Digits digits = take_integer(rest, value);
  if (digits == Digits::leading_zero) return leading_zero(text);
  const bool has_unit = rest == "%" || (rest.empty() && value == 0);
  if (digits != Digits::good || !has_unit || value > 100)
    return "expected a share from 0% to 100%, not " + base::in_quotes(text);
  target = static_cast<double>(value) / 100;
  return {};
}

std::string parse_boolean(std::string_view text, bool& target) {
  if (text != "true" && text != "false") return base::expected_one_of({"true", "false"}, text);
  target = text == "true";
  return {};
}

std::string parse_mode(std::string_view text, unsigned& target) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-' ||
      text.size() > 4 || value > 0777)
    return "expected an octal mode from 0 to 0777, not " + base::in_quotes(text);
  target = value;
  return {};
}

std::string parse_label(std::string_view text, std::string& target) {
  if (text.empty()) return "must not be empty";
  return parse_label_or_empty(text, target);
}

std::string parse_label_or_empty(std::string_view text, std::string& target) {
  constexpr std::size_t label_bytes_max = 255;
  if (text.size() > label_bytes_max) return "longer than 255 bytes";
  if (!base::is_plain_text(text)) return base::in_quotes(text) + " contains a control character";
  target = text;
  return {};
}

std::optional<std::string> plain_text(base::Duration value) {
  return duration_text(value);
}

std::optional<std::string> plain_text(bool value) {
  return value ? "true" : "false";
}

std::optional<std::string> plain_text(const std::string& value) {
  return value;
}

std::optional<std::string> plain_text(double share) {
  return fmt::format("{:.0f}%", share * 100);
}

std::optional<std::string> plain_text(unsigned mode) {
  return fmt::format("{:04o}", mode);
}

std::string size_text(std::uint64_t bytes) {
  for (auto unit = size_units.rbegin(); unit != size_units.rend(); ++unit)
    if (bytes >= unit->factor && bytes % unit->factor == 0 && unit->factor > 1)
      return std::to_string(bytes / unit->factor) + std::string{unit->name};
  return std::to_string(bytes);
}

std::string duration_text(base::Duration value) {
  if (value.count() == 0) return "0";
  const auto nanoseconds = static_cast<std::uint64_t>(value.count());
  for (auto unit = duration_units.rbegin(); unit != duration_units.rend(); ++unit)
    if (nanoseconds >= unit->factor && nanoseconds % unit->factor == 0)
      return std::to_string(nanoseconds / unit->factor) + std::string{unit->name};
  return std::to_string(nanoseconds / duration_units.front().factor) + "us";
}

}  // namespace penstock::config

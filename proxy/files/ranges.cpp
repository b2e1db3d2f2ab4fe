#include "files/ranges.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/limits.hpp"
#include "wire/ascii.hpp"

namespace penstock::files {

namespace {

// Digits only; a number beyond 64 bits lies beyond every file.
std::optional<std::uint64_t> position_in(std::string_view digits) noexcept {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  std::uint64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return result.ec == std::errc{} ? value : UINT64_MAX;
}

// "0-99", "100-" or "-100". Empty: that is no range. first == end: it lies outside of the file.
std::optional<ByteRange> range_in(std::string_view spec, std::uint64_t size) noexcept {
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view last_digits = spec.substr(dash + 1);
  if (dash == 0) {
    const auto length = position_in(last_digits);
    if (!length) return std::nullopt;
    return ByteRange{.first = size - std::min(*length, size), .end = size};
  }
  const auto first = position_in(spec.substr(0, dash));
  const auto last = last_digits.empty() ? UINT64_MAX : position_in(last_digits);
  if (!first || !last || *last < *first) return std::nullopt;
  if (*first >= size) return ByteRange{};
  return ByteRange{.first = *first, .end = *last >= size ? size : *last + 1};
}

bool has_unit(std::string_view& value) noexcept {
  const std::size_t equals = value.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view unit = value.substr(0, equals);
  value.remove_prefix(equals + 1);
  // Units are tokens, whose case does not count.
  return wire::equals_ignoring_case(unit, "bytes");
}

}  // namespace

Ranges ranges_of(std::string_view value, std::uint64_t size) {
  if (!has_unit(value)) return {};
  Ranges ranges;
  std::size_t specs = 0;
  std::uint64_t bytes = 0;
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view spec = wire::trim(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (spec.empty()) continue;  // a list may have empty elements
    const auto range = range_in(spec, size);
    if (!range || ++specs > base::file_ranges_max) return {};
    if (range->first == range->end) continue;
    bytes += range->end - range->first;
    if (bytes > size) return {};
    ranges.parts.push_back(*range);
  }
  if (specs == 0) return {};
  ranges.answer = ranges.parts.empty() ? Ranges::Answer::unsatisfiable : Ranges::Answer::parts;
  return ranges;
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  std::string text{"bytes "};
  return text.append(std::to_string(range.first))
      .append("-")
      .append(std::to_string(range.end - 1))
      .append("/")
      .append(std::to_string(size));
}

std::string content_range(std::uint64_t size) {
  return std::string{"bytes */"}.append(std::to_string(size));
}

}  // namespace penstock::files

#pragma once
// Parsers of single values: pure functions of a text.
//
// A parser either sets its target and returns an empty text, or leaves the target as it was and
// returns the sentence of a fault. The functions that return a parser are for MapReader.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/enum_names.hpp"
#include "base/time.hpp"
#include "base/words.hpp"

namespace penstock::config {

// More connections than a host has descriptors for: a limit against slips of the hand.
inline constexpr std::uint64_t connections_max = 1'000'000'000;
// Small enough that a point in time and the longest duration never overflow together.
inline constexpr base::Duration duration_max = std::chrono::hours{1'000'000};

// Decimal, without a sign or a leading zero.
std::string parse_integer(std::string_view text, std::uint64_t lowest, std::uint64_t highest,
                          std::uint64_t& target);

// An integer and us, ms, s, m or h; or 0.
std::string parse_duration(std::string_view text, base::Duration& target);

// An integer and B, KiB, MiB, GiB or nothing; in bytes.
std::string parse_size(std::string_view text, std::uint64_t lowest, std::uint64_t highest,
                       std::uint64_t& target);

// "50%" or 0; as a share of 1.
std::string parse_percent(std::string_view text, double& target);

std::string parse_boolean(std::string_view text, bool& target);

// Permissions of a file in octal, up to 0777.
std::string parse_mode(std::string_view text, unsigned& target);

// Any text without control characters, at most 255 bytes.
std::string parse_label(std::string_view text, std::string& target);
std::string parse_label_or_empty(std::string_view text, std::string& target);

std::string size_text(std::uint64_t bytes);
std::string duration_text(base::Duration value);

inline auto duration_between(base::Duration lowest, base::Duration highest) {
  return [=](std::string_view text, base::Duration& target) {
    base::Duration value{0};
    std::string sentence = parse_duration(text, value);
    if (sentence.empty() && (value < lowest || value > highest))
      sentence = "expected a duration from " + duration_text(lowest) + " to " +
                 duration_text(highest) + ", not " + base::in_quotes(text);
    if (sentence.empty()) target = value;
    return sentence;
  };
}

// Where the type of a target does not tell how its values are written, the parser has text(): what
// it would parse to this value.
struct IntegerBetween {
  std::uint64_t lowest;
  std::uint64_t highest;

  template <class T>
  std::string operator()(std::string_view text, T& target) const {
    std::uint64_t value = 0;
    std::string sentence = parse_integer(text, lowest, highest, value);
    if (sentence.empty()) target = static_cast<T>(value);
    return sentence;
  }
  template <class T>
  static std::string text(const T& value) {
    return std::to_string(value);
  }
};
inline IntegerBetween integer_between(std::uint64_t lowest, std::uint64_t highest) {
  return {lowest, highest};
}

struct SizeBetween {
  std::uint64_t lowest;
  std::uint64_t highest;

  template <class T>
  std::string operator()(std::string_view text, T& target) const {
    std::uint64_t value = 0;
    std::string sentence = parse_size(text, lowest, highest, value);
    if (sentence.empty()) target = static_cast<T>(value);
    return sentence;
  }
  static std::string text(std::uint64_t value) { return size_text(value); }
};
inline SizeBetween size_between(std::uint64_t lowest, std::uint64_t highest) {
  return {lowest, highest};
}

// `auto` is 0 in the target, or empty where that is an optional.
template <class Parser>
struct AutoOr {
  Parser parser;

  template <class T>
  std::string operator()(std::string_view text, T& target) const {
    if (text == "auto") {
      target = {};
      return {};
    }
    std::string sentence = parser(text, target);
    return sentence.empty() ? sentence : sentence + ", or auto";
  }
  template <class T>
  std::string text(const T& value) const {
    return value == T{} ? "auto" : parser.text(value);
  }
  template <class T>
  std::string text(const std::optional<T>& value) const {
    return value ? parser.text(*value) : "auto";
  }
};
template <class Parser>
AutoOr<Parser> auto_or(Parser parser) {
  return {std::move(parser)};
}

// One of the names of an enumeration.
template <class Enum, std::size_t N>
struct WordOf {
  const base::EnumNames<Enum, N>& names;

  std::string operator()(std::string_view text, Enum& target) const {
    if (const auto value = names.find(text)) {
      target = *value;
      return {};
    }
    return base::expected_one_of({names.names.begin(), names.names.end()}, text);
  }
  std::string text(Enum value) const { return std::string{names[value]}; }
};
template <class Enum, std::size_t N>
WordOf<Enum, N> word_of(const base::EnumNames<Enum, N>& names) {
  return {names};
}

// How a value of this type is written; nothing where its parser has to say that.
std::optional<std::string> plain_text(base::Duration value);
std::optional<std::string> plain_text(bool value);
std::optional<std::string> plain_text(const std::string& value);
std::optional<std::string> plain_text(double share);   // in percent
std::optional<std::string> plain_text(unsigned mode);  // in octal
template <class T>
std::optional<std::string> plain_text(const T& /*value*/) {
  return std::nullopt;
}
template <class T>
std::optional<std::string> plain_text(const std::optional<T>& value) {
  return value ? plain_text(*value) : std::optional{std::string{}};
}

// The value as it could stand in a file for this parser; nothing where it cannot, like the absent
// host of a health check.
template <class T, class Parser>
std::optional<std::string> text_for(const Parser& parse, const T& value) {
  std::optional<std::string> text;
  if constexpr (requires { parse.text(value); })
    text = parse.text(value);
  else
    text = plain_text(value);
  T parsed{};
  const bool is_same = text && parse(std::string_view{*text}, parsed).empty() && parsed == value;
  return is_same ? text : std::nullopt;
}

}  // namespace penstock::config

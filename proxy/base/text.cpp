#include "base/text.hpp"

#include <algorithm>

namespace penstock::base {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

// Of the sequence at the front, as utf8_length(); 0 for a control character, too.
std::size_t plain_length(std::string_view text) noexcept {
  const std::size_t length = utf8_length(text);
  const auto first = static_cast<unsigned char>(text.front());
  if (length == 1 && (first < 0x20 || first == 0x7f)) return 0;
  const bool is_c1 = length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
  return is_c1 ? 0 : length;
}

template <class Length>
bool consists_of(std::string_view text, Length&& length_of) noexcept {
  while (!text.empty()) {
    const std::size_t length = length_of(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// One character of a JSON string that may need an escape; its bytes.
std::size_t append_escaped(std::string& out, std::string_view text) {
  const std::size_t length = utf8_length(text);
  const std::string_view one = text.substr(0, std::max<std::size_t>(1, length));
  if (one == "\"" || one == "\\") {
    out += {'\\', one.front()};
  } else if (is_plain_text(one)) {
    out += one;
  } else {
    // The code of a control character is its last byte.
    const auto byte = static_cast<unsigned char>(one.back());
    out += length == 0 ? "\\\\x" : "\\u00";
    out += {digits[byte >> 4], digits[byte & 15]};
  }
  return one.size();
}

}  // namespace

std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [byte](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  if (text.empty()) return 0;
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool beyond = first == 0xf4 && byte(1) > 0x8f;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view text) noexcept {
  return consists_of(text, utf8_length);
}

bool is_plain_text(std::string_view text) noexcept {
  return consists_of(text, plain_length);
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t good = plain_length(text);
    // A control character of two bytes is escaped as a whole, other faults byte by byte.
    const std::size_t taken = good > 0 ? good : utf8_length(text) == 2 ? 2 : 1;
    for (const char c : text.substr(0, taken)) {
      const auto code = static_cast<unsigned char>(c);
      if (good > 0)
        result += c;
      else
        result += {'\\', 'x', digits[code >> 4], digits[code & 15]};
    }
    text.remove_prefix(taken);
  }
  return result;
}

std::string quoted(std::string_view text) {
  std::string result{'\''};
  for (const char c : printable(text)) {
    if (c == '\'')
      result += "\\x27";
    else
      result += c;
  }
  return result + '\'';
}

void append_json_string(std::string& out, std::string_view text) {
  const auto stays = [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; };
  out += '"';
  while (!text.empty()) {
    const auto* const end = std::find_if_not(text.begin(), text.end(), stays);
    out.append(text.begin(), end);
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    if (!text.empty()) text.remove_prefix(append_escaped(out, text));
  }
  out += '"';
}

}  // namespace penstock::base

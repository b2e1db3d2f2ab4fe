#pragma once
// What happens to the text of a configuration before and after it is parsed as YAML.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/yaml/document.hpp"

namespace penstock::config {

struct TextFault {
  YamlPosition position;
  std::string sentence;
};

// The text without the UTF-8 byte order mark that some editors put in front.
std::string without_byte_order_mark(const std::string& text);

// The first NUL byte, or the first byte that is not UTF-8.
std::optional<TextFault> find_bad_byte(std::string_view text);

// False where a quoted value starts at this byte and its closing quote is missing.
bool is_quote_closed(std::string_view text, std::size_t start);

// Where each line starts, so that positions are found without counting lines again.
std::vector<std::size_t> line_starts(std::string_view text);

// For a syntax error in this line or at its end: what probably led to it, or empty.
std::string syntax_hint(std::string_view text, int line);
inline constexpr std::string_view quoting_advice =
    "; in flow style ${...}, IPv6 addresses and * must be quoted";

// Appends what the file itself says, defaults included, to `result`: escapes may mean something
// there. Returns as replace_environment() does.
using OwnText = std::function<std::string(std::string_view text, std::string& result)>;

// Replaces ${NAME} and ${NAME:-default} by the environment (the default also where the variable is
// empty, as in a shell), and $${ by ${. What was put in is not looked at again, and may be any
// bytes, at most `room` in all: what variables hold is taken from it. Returns the sentence of a
// fault, else an empty text.
std::string replace_environment(std::string_view text, std::string& result, std::size_t& room,
                                const OwnText& own_text = {});

}  // namespace penstock::config

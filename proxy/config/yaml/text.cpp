#include "config/yaml/text.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "base/words.hpp"
#include "os/process.hpp"

namespace penstock::config {

namespace {

constexpr auto npos = std::string_view::npos;

// The line's text, without its end; `line` is 1-based.
std::string_view line_of(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const auto end = text.find('\n');
    if (end == npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

YamlPosition position_at(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n') + 1;  // npos + 1 is the first line's 0
  return {static_cast<int>(line) + 1, static_cast<int>(offset - start) + 1};
}

// A '[' with two colons before its ']' is more likely an address than a list. What stands behind an
// inner '[' stands behind the outer one, too: one look at each byte is enough.
bool has_v6_literal(std::string_view line) {
  bool is_open = false;
  int colons = 0;
  for (const char byte : line) {
    if (byte == '[' && !is_open) {
      is_open = true;
      colons = 0;
    } else if (byte == ']') {
      is_open = false;
    } else if (byte == ':' && is_open && ++colons == 2) {
      return true;
    }
  }
  return false;
}

bool needs_quotes(std::string_view line) {
  return line.find("${") != npos || line.find('*') != npos || has_v6_literal(line);
}

bool is_name_byte(char byte, bool first) {
  const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
  return letter || (!first && byte >= '0' && byte <= '9');
}

// One text on its way from the file to its reader.
class Replacement {
 public:
  Replacement(const OwnText& own_text, std::string& result, std::size_t& room)
      : own_text_{own_text}, result_{result}, room_{room} {}

  std::string replace(std::string_view text) {
    while (!text.empty()) {
      if (text.starts_with("$${")) {
        own_ += "${";
        text.remove_prefix(3);
      } else if (text.starts_with("${")) {
        const auto end = text.find('}');
        if (end == npos)
          return base::in_quotes(text) + " has no closing }; write $${ for a plain ${";
        if (std::string fault = put_variable(text.substr(2, end - 2)); !fault.empty()) return fault;
        text.remove_prefix(end + 1);
      } else {
        own_ += text.front();
        text.remove_prefix(1);
      }
    }
    return settle();
  }

 private:
  // NAME or NAME:-default.
  std::string put_variable(std::string_view inside) {
    std::size_t length = 0;
    while (length < inside.size() && is_name_byte(inside[length], length == 0)) ++length;
    const std::string name{inside.substr(0, length)};
    const std::string_view rest = inside.substr(length);
    const bool has_default = rest.starts_with(":-");
    const std::string shown = base::in_quotes("${" + std::string{inside} + "}");
    if (name.empty() || (!rest.empty() && !has_default))
      return shown + " is neither ${NAME} nor ${NAME:-default}";
    if (rest.find("${") != npos)
      return shown + " bears another ${ in its default, which is plain text";
    const char* value = os::environment(name.c_str());
    if (value == nullptr && !has_default)
      return "the environment has no " + base::in_quotes(name) + "; write ${" + name +
             ":-default} to do without";
    if (has_default && (value == nullptr || *value == '\0')) {
      own_ += rest.substr(2);
      return {};
    }
    const std::string_view held{value};
    if (held.size() > room_)
      return "with " + shown + " the environment puts more than " +
             std::to_string(base::config_bytes_max) +
             " bytes into this file: make the variable shorter, or name it less often";
    room_ -= held.size();
    std::string fault = settle();
    result_ += held;
    return fault;
  }

  std::string settle() {
    std::string fault;
    if (own_text_)
      fault = own_text_(own_, result_);
    else
      result_ += own_;
    own_.clear();
    return fault;
  }

  const OwnText& own_text_;
  std::string& result_;
  std::size_t& room_;
  std::string own_;  // what the file says since the last variable
};

}  // namespace

std::string without_byte_order_mark(const std::string& text) {
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

std::optional<TextFault> find_bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\0') return TextFault{position_at(text, i), "a NUL byte"};
    const std::size_t length = base::utf8_length(text.substr(i, 4));
    if (length == 0) return TextFault{position_at(text, i), "not UTF-8"};
    i += length;
  }
  return std::nullopt;
}

std::vector<std::size_t> line_starts(std::string_view text) {
  std::vector<std::size_t> result{0};
  for (auto end = text.find('\n'); end != npos; end = text.find('\n', end + 1))
    result.push_back(end + 1);
  return result;
}

bool is_quote_closed(std::string_view text, std::size_t start) {
  if (start >= text.size()) return true;
  const char quote = text[start];
  if (quote != '"' && quote != '\'') return true;
  for (std::size_t i = start + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != '\'') return true;
      ++i;  // '' is a quote inside of quotes
    }
  }
  return false;
}

std::string syntax_hint(std::string_view text, int line) {
  const std::string_view here = line_of(text, line);
  if (here.substr(0, here.find_first_not_of(" \t")).find('\t') != npos)
    return "; indent with spaces, not with tabs";
  if (needs_quotes(here) || needs_quotes(line_of(text, line - 1)))
    return std::string{quoting_advice};
  return {};
}

std::string replace_environment(std::string_view text, std::string& result, std::size_t& room,
                                const OwnText& own_text) {
  result.clear();
  return Replacement{own_text, result, room}.replace(text);
}

}  // namespace penstock::config

#include "tidy/outline.hpp"

#include <algorithm>
#include <cctype>

#include "tidy/pattern.hpp"
#include "tidy/strip.hpp"

namespace penstock::tidy {

namespace {

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return std::string{text};
}

// Without `template <...>` in front and without [[attributes]].
std::string without_preamble(std::string text) {
  static const Pattern attributes{R"(\[\[[^\]]*\]\]\s*)"};
  text = trimmed(attributes.replace_in(text, ""));
  while (text.starts_with("template")) {
    std::size_t at = text.find('<');
    if (at == text.npos) break;
    for (int depth = 0; at < text.size(); ++at) {
      depth += text[at] == '<' ? 1 : text[at] == '>' ? -1 : 0;
      if (depth == 0) break;
    }
    text = trimmed(std::string_view{text}.substr(std::min(at + 1, text.size())));
  }
  return text;
}

bool opens_function(std::string text) {
  static const Pattern operators{R"(\boperator\s*[^\s\w(]+)"};
  static const Pattern initializers{R"(\)\s*(noexcept(\(\))?\s*)?:(?!:))"};
  static const Pattern body{
      R"(\)\s*((const|noexcept|override|final|mutable|try|&&?)\s*)*(->.*|requires\b.*)?$)"};
  text = operators.replace_in(text, "operator");
  if (text.find('=') != text.npos) return false;
  // In `Name(...) : first_{...}, second_(...) {` a brace behind a name initializes that member.
  if (initializers.is_in(text)) return !is_word(text.back()) && text.back() != '>';
  return body.is_in(text);
}

class Outliner {
 public:
  Outline run(const std::vector<std::string>& code) {
    bool directive_goes_on = false;
    for (const std::string& line : code) {
      ++line_;
      const bool directive = directive_goes_on || trimmed(line).starts_with("#");
      directive_goes_on = directive && line.ends_with("\\");
      if (directive) continue;
      for (const char c : line) put(c);
      put(' ');
    }
    return std::move(outline_);
  }

 private:
  struct Frame {
    Scope scope;
    std::string text;  // what stood before its brace
    int first_line;
  };

  Scope scope() const { return frames_.empty() ? Scope::names : frames_.back().scope; }

  void put(char c) {
    if (skipping_ > 0) return skip(c);
    switch (c) {
      case '{': return open();
      case '}': return close();
      case ';': return finish_statement();
      case '(':
        append(c);
        skipping_ = 1;
        return;
      case ':': append(c); return drop_access_specifier();
      default: append(c);
    }
  }

  // Inside parentheses or an initializer only the way out matters.
  void skip(char c) {
    if (c == '(' || c == '{' || c == '[') ++skipping_;
    if (c == ')' || c == '}' || c == ']') --skipping_;
    if (skipping_ == 0) append(c);
  }

  void append(char c) {
    const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (text_.empty()) {
      if (space) return;
      first_line_ = line_;
    }
    if (!space || text_.back() != ' ') text_ += space ? ' ' : c;
  }

  void drop_access_specifier() {
    if (scope() != Scope::type) return;
    if (text_ == "public:" || text_ == "private:" || text_ == "protected:") text_.clear();
  }

  void finish_statement() {
    if (!text_.empty()) outline_.statements.push_back({scope(), first_line_, trimmed(text_)});
    text_.clear();
  }

  void open() {
    if (text_.empty()) first_line_ = line_;
    if (scope() == Scope::function) {
      if (!text_.empty()) outline_.statements.push_back({scope(), first_line_, trimmed(text_)});
      return push(Scope::function);
    }
    switch (opening_after(text_)) {
      case Opening::names: return push(Scope::names);
      case Opening::type: return push(Scope::type);
      case Opening::function: return push(Scope::function);
      case Opening::value: append('{'); skipping_ = 1;
    }
  }

  void push(Scope scope) {
    frames_.push_back({scope, trimmed(text_), first_line_});
    text_.clear();
  }

  void close() {
    if (frames_.empty()) return;
    const Frame frame = frames_.back();
    frames_.pop_back();
    text_.clear();
    if (frame.scope == Scope::type) {
      text_ = frame.text + " {}";  // `struct {...} name;` goes on
      first_line_ = frame.first_line;
    } else if (frame.scope == Scope::function && scope() != Scope::function) {
      outline_.functions.push_back({frame.first_line, line_, frame.text});
    }
  }

  Outline outline_;
  std::vector<Frame> frames_;
  std::string text_;  // of the statement under way
  int first_line_ = 0;
  int line_ = 0;
  int skipping_ = 0;  // brackets that are open and not looked into
};

}  // namespace

Opening opening_after(std::string_view before) {
  static const Pattern names{R"(^((inline )?namespace\b|extern ?"))"};
  static const Pattern type{R"(^((typedef|static|inline|constexpr) )*(class|struct|union|enum)\b)"};
  static const Pattern alignment{R"(alignas ?\(\))"};
  const std::string text = without_preamble(std::string{before});
  if (names.is_in(text)) return Opening::names;
  const std::string unaligned = alignment.replace_in(text, "");
  if (type.is_in(text) && unaligned.find_first_of("(=") == text.npos) return Opening::type;
  return opens_function(text) ? Opening::function : Opening::value;
}

Outline outline_of(const std::vector<std::string>& code) {
  return Outliner{}.run(code);
}

}  // namespace penstock::tidy

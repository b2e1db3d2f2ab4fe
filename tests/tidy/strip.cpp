#include "tidy/strip.hpp"

#include <cctype>
#include <cstddef>

namespace penstock::tidy {

namespace {

class Stripper {
 public:
  explicit Stripper(std::string_view text) : text_{text}, result_{text} {}

  std::string run() {
    while (at_ < text_.size()) step();
    return std::move(result_);
  }

 private:
  void step() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("//")) return blank_until(end_of_line_comment());
    if (rest.starts_with("/*")) return blank_until(after("*/", at_ + 2));
    if (rest.starts_with("R\"") && !word_before("LuU8")) return raw_string();
    if (rest[0] == '"') return literal('"');
    if (rest[0] == '\'' && !is_digit_separator()) return literal('\'');
    ++at_;
  }

  // The position behind the next `word`, or the end of the text.
  std::size_t after(std::string_view word, std::size_t from) const {
    const std::size_t found = text_.find(word, from);
    return found == text_.npos ? text_.size() : found + word.size();
  }

  std::size_t end_of_line_comment() const {
    const std::size_t found = text_.find('\n', at_);
    return found == text_.npos ? text_.size() : found;
  }

  // Whether an identifier ends here that is no encoding prefix.
  bool word_before(std::string_view prefix_letters) const {
    return at_ > 0 && is_word(text_[at_ - 1]) && prefix_letters.find(text_[at_ - 1]) == text_.npos;
  }

  // 10'000: a quote inside a token that begins with a digit.
  bool is_digit_separator() const {
    std::size_t start = at_;
    while (start > 0 && (is_word(text_[start - 1]) || text_[start - 1] == '\'')) --start;
    return start < at_ && std::isdigit(static_cast<unsigned char>(text_[start])) != 0;
  }

  void literal(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n')
      end += text_[end] == '\\' ? 2 : 1;
    ++at_;
    blank_until(end);
    ++at_;  // the closing quote stays
  }

  void raw_string() {
    const std::size_t open = text_.find('(', at_);
    if (open == text_.npos) return blank_until(text_.size());
    const std::string closing = ")" + std::string{text_.substr(at_ + 2, open - at_ - 2)} + "\"";
    at_ += 2;
    blank_until(after(closing, open) - 1);
    ++at_;
  }

  void blank_until(std::size_t end) {
    for (; at_ < end && at_ < text_.size(); ++at_)
      if (result_[at_] != '\n') result_[at_] = ' ';
  }

  std::string_view text_;
  std::string result_;
  std::size_t at_ = 0;
};

}  // namespace

std::string strip_prose(std::string_view text) {
  return Stripper{text}.run();
}

bool is_word(char byte) {
  return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_';
}

}  // namespace penstock::tidy

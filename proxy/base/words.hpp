#pragma once
// Words for faults: values as a user may see them, and the name that was probably meant.

#include <string>
#include <string_view>
#include <vector>

namespace penstock::base {

// The text in single quotes, what is no plain text as \xNN (base/text.hpp), and cut where it is
// longer than 64 bytes: a fault stays one readable line whatever stands in the file.
std::string in_quotes(std::string_view text);

// The sentence about a value of which a variable is a part, where `written` is what the file says:
// all that is quoted becomes that, and no suggestion tells what the value resembles.
std::string as_written(std::string_view sentence, std::string_view written);

// As in_quotes(), without the quotes: for a key in a path.
std::string short_printable(std::string_view text);

// Names that were probably meant. Two names cost the product of their lengths, and a file of wrong
// names would cost the square of its own: after so many steps an object has no more suggestions.
class Suggestions {
 public:
  static constexpr std::size_t steps_max = 4'000'000;

  // "; did you mean 'name'?" for the one of `known` that other proxies call so, or the nearest;
  // empty where none is near.
  std::string nearest(std::string_view text, const std::vector<std::string>& known);
  std::size_t steps() const noexcept { return steps_; }

 private:
  std::size_t steps_ = 0;
};

// The one of a question that stands alone.
std::string suggestion(std::string_view text, const std::vector<std::string>& known);

// "expected a, b or c, not 'text'", with a suggestion.
std::string expected_one_of(const std::vector<std::string_view>& words, std::string_view text);

// "a, b or c".
std::string alternatives(const std::vector<std::string_view>& words);

}  // namespace penstock::base

#include "base/words.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "base/foreign_words.hpp"
#include "base/text.hpp"

namespace penstock::base {

namespace {

constexpr std::size_t shown_bytes_max = 64;

// Not in the middle of a UTF-8 sequence.
std::string_view cut(std::string_view text) {
  std::size_t end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

constexpr std::size_t slips_max = 3;  // in a name that is still recognized
using Row = std::array<std::size_t, shown_bytes_max + slips_max + 1>;

// Insertions, deletions and replacements of one byte, and exchanges of two neighbours, each of
// which is one slip of the finger (the optimal string alignment distance). Neither text is longer
// than a Row.
std::size_t distance(std::string_view from, std::string_view to) {
  Row before{};
  Row above{};
  Row row{};
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[to.size()];
}

// So many letters more or less are so many slips at least.
std::size_t difference(std::size_t one, std::size_t other) {
  return std::max(one, other) - std::min(one, other);
}

constexpr std::string_view suggestion_begins = "; did you mean ";

std::string did_you_mean(std::string_view word) {
  return std::string{suggestion_begins} + in_quotes(word) + '?';
}

}  // namespace

std::string short_printable(std::string_view text) {
  const bool is_long = text.size() > shown_bytes_max;
  std::string result = base::printable(is_long ? cut(text) : text);
  return is_long ? result + "..." : result;
}

std::string in_quotes(std::string_view text) {
  const bool is_long = text.size() > shown_bytes_max;
  return base::quoted(is_long ? std::string{cut(text)} + "..." : std::string{text});
}

std::string as_written(std::string_view sentence, std::string_view written) {
  constexpr auto npos = std::string_view::npos;
  sentence = sentence.substr(0, sentence.find(suggestion_begins));
  std::string result;
  while (true) {
    const auto start = sentence.find('\'');
    const auto end = start == npos ? npos : sentence.find('\'', start + 1);
    if (end == npos) return result += sentence;
    result += sentence.substr(0, start);
    result += in_quotes(written);
    sentence.remove_prefix(end + 1);
  }
}

std::string Suggestions::nearest(std::string_view text, const std::vector<std::string>& known) {
  if (text.size() > shown_bytes_max) return {};
  const std::string_view ours = our_word_for(text);
  if (std::find(known.begin(), known.end(), ours) != known.end()) return did_you_mean(ours);
  // Half of a short word may be wrong, never more than three letters of a long one.
  std::size_t nearest = std::min(slips_max, text.size() / 2) + 1;
  std::string_view found;
  for (const std::string& name : known) {
    if (steps_ >= steps_max) return {};
    ++steps_;
    if (difference(text.size(), name.size()) >= nearest) continue;
    steps_ += text.size() * name.size();
    const std::size_t far = distance(text, name);
    if (far >= nearest) continue;
    nearest = far;
    found = name;
  }
  return found.empty() ? std::string{} : did_you_mean(found);
}

std::string expected_one_of(const std::vector<std::string_view>& words, std::string_view text) {
  return "expected " + alternatives(words) + ", not " + in_quotes(text) +
         suggestion(text, {words.begin(), words.end()});
}

std::string suggestion(std::string_view text, const std::vector<std::string>& known) {
  return Suggestions{}.nearest(text, known);
}

std::string alternatives(const std::vector<std::string_view>& words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) result += i + 1 == words.size() ? " or " : ", ";
    result += words[i];
  }
  return result;
}

}  // namespace penstock::base

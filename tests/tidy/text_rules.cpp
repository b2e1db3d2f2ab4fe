#include <algorithm>
#include <array>

#include "tidy/pattern.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

Findings raw_lines_with(const SourceFile& file, const Pattern& pattern, const std::string& what) {
  Findings findings;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const auto match = pattern.find_in(file.lines[i]);
    if (!match.empty())
      findings.push_back({file.path, static_cast<int>(i) + 1, match[0] + " " + what});
  }
  return findings;
}

}  // namespace

Findings headers_begin_with_their_contract(const SourceFile& file) {
  if (!file.is_header()) return {};
  if (file.lines.empty() || file.lines[0] != "#pragma once")
    return {{file.path, 1, "a header begins with #pragma once"}};
  if (file.lines.size() < 2 || !file.lines[1].starts_with("// "))
    return {{file.path, 2, "a comment that says what this is follows #pragma once"}};
  return {};
}

// The words of these two rules are put together from halves, so that this file keeps them too.
Findings no_marks_of_unfinished_work(const SourceFile& file) {
  static const Pattern pattern{
      "\\b(TO"
      "DO|FIX"
      "ME|XX"
      "X|HA"
      "CK)\\b"};
  return raw_lines_with(file, pattern, "marks unfinished work");
}

Findings no_word_of_the_workplace(const SourceFile& file) {
  static const Pattern pattern{
      "(^|[\\s\"'`=(:])(/wo"
      "rk/|/ro"
      "ot/|/tmp/bu"
      "ild-)|\\bissue"
      " ?#?\\d|\\bissue"
      " #",
      true};
  return raw_lines_with(file, pattern, "speaks of the place where the text was written");
}

Findings fixed_top_level(const std::vector<std::string>& names) {
  static constexpr std::array<std::string_view, 9> allowed{
      "CMakeLists.txt", "proxy",    "config",     "tests",    "scripts",
      "docs",           "findings", "Dockerfile", "README.md"};
  Findings findings;
  for (const std::string& name : names) {
    const bool known = std::find(allowed.begin(), allowed.end(), name) != allowed.end();
    if (!known && !name.starts_with('.'))
      findings.push_back({name, 1, "does not belong at the top of the repository"});
  }
  return findings;
}

}  // namespace penstock::tidy

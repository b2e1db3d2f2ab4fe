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

constexpr std::size_t contract_column = 12;  // "// Owner    the forwarder."

// "// Owner    ", and what is said about it begins in the column of all.
bool begins_an_entry(const std::string& line) {
  static const Pattern entry{"^// [A-Z][a-z]+ +"};
  const auto match = entry.find_in(line);
  return !match.empty() && match[0].size() == contract_column;
}

bool goes_on_in_column(const std::string& line) {
  return line.starts_with("//" + std::string(contract_column - 2, ' '));
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

Findings contracts_keep_their_columns(const SourceFile& file) {
  static const Pattern usual{"^// (Owner|Thread|Errors?|Limits?|Memory|Source|Files|Loop) "};
  static const Pattern within{"[.;] (Owner|Thread|Errors?|Limits?|Memory|Source|Files|Loop) {2,}"};
  Findings findings;
  if (!file.is_header()) return findings;
  bool in_entry = false;
  for (std::size_t i = 1; i < file.lines.size() && file.lines[i].starts_with("//"); ++i) {
    const std::string& line = file.lines[i];
    const bool begins = begins_an_entry(line);
    const bool goes_on = line != "//" && !begins;
    if (!within.find_in(line).empty() || (in_entry && goes_on && !goes_on_in_column(line)))
      findings.push_back({file.path, static_cast<int>(i) + 1, "the contract left its columns"});
    in_entry = begins ? usual.is_in(line) : in_entry && goes_on;
  }
  return findings;
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

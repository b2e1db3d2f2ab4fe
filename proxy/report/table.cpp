#include "report/table.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace penstock::report {

namespace {

bool is_number(const std::string& cell) {
  return !cell.empty() && std::all_of(cell.begin(), cell.end(), [](char c) {
    return (c >= '0' && c <= '9') || c == '.' || c == '%';
  });
}

std::vector<std::size_t> widths_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  return widths;
}

// A column is one of numbers where all cells below its heading are.
std::vector<bool> numeric_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> numeric(rows.front().size(), rows.size() > 1);
  for (std::size_t r = 1; r < rows.size(); ++r)
    for (std::size_t i = 0; i < rows[r].size(); ++i)
      numeric[i] = numeric[i] && is_number(rows[r][i]);
  return numeric;
}

}  // namespace

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  const std::vector<std::size_t> widths = widths_of(rows);
  const std::vector<bool> numeric = numeric_columns(rows);
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      line += numeric[i] ? fmt::format("{:>{}}", row[i], widths[i])
                         : fmt::format("{:<{}}", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace penstock::report

#pragma once
// Rows of cells as text for people: aligned columns. Pure.

#include <string>
#include <vector>

namespace penstock::report {

// Columns as wide as their widest cell, two spaces between; numbers to the right. The first row is
// the heading.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace penstock::report

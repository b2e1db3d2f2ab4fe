#include "tidy/includes.hpp"

#include "tidy/pattern.hpp"

namespace penstock::tidy {

std::vector<Include> includes_of(const SourceFile& file) {
  static const Pattern pattern{R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re"};
  std::vector<Include> includes;
  for (std::size_t i = 0; i < file.code.size(); ++i) {
    if (file.code[i].find("include") == std::string::npos) continue;
    const auto match = pattern.find_in(file.lines[i]);
    if (!match.empty()) includes.push_back({static_cast<int>(i) + 1, match[1][0], match[2]});
  }
  return includes;
}

}  // namespace penstock::tidy

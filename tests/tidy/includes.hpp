#pragma once
// What a file includes.

#include <string>
#include <vector>

#include "tidy/source_file.hpp"

namespace penstock::tidy {

struct Include {
  int line;    // 1-based
  char quote;  // '"' or '<'
  std::string target;
};

std::vector<Include> includes_of(const SourceFile& file);

}  // namespace penstock::tidy

#pragma once
// A file of the tree as the rules see it, and what they find in it.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::tidy {

struct SourceFile {
  std::string path;                // from the root of the repository, with '/'
  std::vector<std::string> lines;  // as they stand
  // The same lines of C++ without comments and without the insides of literals, so that a rule
  // about code is not tripped by prose. Of other files: empty.
  std::vector<std::string> code;

  bool is_cpp() const;
  bool is_header() const { return path.ends_with(".hpp"); }
  bool in(std::string_view prefix) const { return path.starts_with(prefix); }
};

SourceFile make_file(std::string path, std::string_view text);

// Every text file that belongs to the repository: build trees and editor files are left out.
std::vector<SourceFile> read_tree(const std::string& root);

// Names at the top of the repository, without those that are never committed.
std::vector<std::string> top_level_names(const std::string& root);

// One breach of a rule.
struct Finding {
  std::string path;
  int line;  // 1-based
  std::string what;
};
using Findings = std::vector<Finding>;

// FILE:LINE: what, one a line.
std::string report(const Findings& findings);

// A rule decides by itself which paths it concerns.
using Rule = std::function<Findings(const SourceFile&)>;
Findings find_all(const Rule& rule, const std::vector<SourceFile>& files);
// Whether it finds anything in a file of this text.
bool bites(const Rule& rule, std::string path, std::string_view text);

}  // namespace penstock::tidy

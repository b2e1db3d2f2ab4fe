#include "tidy/source_file.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tidy/strip.hpp"

namespace penstock::tidy {

namespace {

namespace fs = std::filesystem;

// What .gitignore leaves out, and Git's own folder.
bool is_never_committed(std::string_view name) {
  static constexpr std::array<std::string_view, 5> names{".git", "build", ".cache",
                                                         "compile_commands.json", "__pycache__"};
  return std::find(names.begin(), names.end(), name) != names.end() || name.ends_with(".swp");
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string read_text(const fs::path& path) {
  std::ifstream stream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace

bool SourceFile::is_cpp() const {
  return path.ends_with(".hpp") || path.ends_with(".cpp");
}

SourceFile make_file(std::string path, std::string_view text) {
  SourceFile file{.path = std::move(path), .lines = split(text), .code = {}};
  if (file.is_cpp()) file.code = split(strip_prose(text));
  return file;
}

std::vector<SourceFile> read_tree(const std::string& root) {
  std::vector<SourceFile> files;
  auto entry = fs::recursive_directory_iterator{root};
  for (; entry != fs::recursive_directory_iterator{}; ++entry) {
    if (is_never_committed(entry->path().filename().string())) {
      if (entry->is_directory()) entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && !entry->is_symlink()) {
      const std::string text = read_text(entry->path());
      const bool is_text = text.find('\0') == text.npos;
      if (is_text) files.push_back(make_file(fs::relative(entry->path(), root).string(), text));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::vector<std::string> top_level_names(const std::string& root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator{root}) {
    std::string name = entry.path().filename().string();
    if (!is_never_committed(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string report(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings)
    text += "\n" + finding.path + ":" + std::to_string(finding.line) + ": " + finding.what;
  return text;
}

Findings find_all(const Rule& rule, const std::vector<SourceFile>& files) {
  Findings all;
  for (const SourceFile& file : files) {
    Findings found = rule(file);
    std::move(found.begin(), found.end(), std::back_inserter(all));
  }
  return all;
}

bool bites(const Rule& rule, std::string path, std::string_view text) {
  return !rule(make_file(std::move(path), text)).empty();
}

}  // namespace penstock::tidy

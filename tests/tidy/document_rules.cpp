#include <regex>
#include <set>

#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

// Every file, the same without its ending, and every folder; those of proxy/ also by the names that
// documents and includes use for them.
class Names {
 public:
  explicit Names(const std::vector<SourceFile>& files) {
    for (const SourceFile& file : files) {
      add(file.path);
      if (file.in("proxy/")) add(file.path.substr(6));
    }
  }

  // A folder or a room stands at the front: else it is the name of something else.
  bool is_path(const std::string& name) const {
    return folders_.contains(name.substr(0, name.find('/') + 1));
  }
  bool has(const std::string& name) const {
    return files_.contains(name) || folders_.contains(name) || folders_.contains(name + '/');
  }

 private:
  void add(const std::string& path) {
    files_.insert(path);
    files_.insert(path.substr(0, path.rfind('.')));
    for (std::size_t end = path.find('/'); end != path.npos; end = path.find('/', end + 1))
      folders_.insert(path.substr(0, end + 1));
  }

  std::set<std::string> files_;
  std::set<std::string> folders_;  // with the last '/'
};

}  // namespace

Findings documents_name_what_is_there(const std::vector<SourceFile>& files) {
  static const std::regex quoted{R"(`((?:[\w-]+/)+[\w.-]*)`)"};
  const Names names{files};
  Findings findings;
  for (const SourceFile& file : files) {
    // What was is told by the changelog and by decisions.
    if (!file.path.ends_with(".md") || file.path == "docs/CHANGELOG.md" ||
        file.in("docs/decisions/"))
      continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      for (std::sregex_iterator found{file.lines[i].begin(), file.lines[i].end(), quoted}, end;
           found != end; ++found)
        if (const std::string name = (*found)[1]; names.is_path(name) && !names.has(name))
          findings.push_back({file.path, static_cast<int>(i + 1), name + " is not there"});
  }
  return findings;
}

}  // namespace penstock::tidy

#include "config/yaml/document.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "base/words.hpp"
#include "config/yaml/text.hpp"
#include "config/yaml/tree.hpp"

namespace penstock::config {

namespace {

// The same key twice, and YAML 1.1's merge keys, wherever they are. A value behind an alias was
// looked at where it stands.
class KeyCheck {
 public:
  KeyCheck(const std::string& file, std::vector<Fault>& faults) : file_{file}, faults_{faults} {}

  void visit(const YamlNode& node, const std::string& path) {
    Seen seen;
    std::size_t index = 0;
    for (const YamlNode::Child& child : node.children) {
      const bool is_map = node.kind == YamlNode::Kind::map;
      const std::string child_path = is_map ? key_path(path, child.key) : item_path(path, index++);
      if (is_map) check_key(child, child_path, seen);
      if (!child.via_alias) visit(*child.value, child_path);
    }
  }

 private:
  using Seen = std::map<std::string_view, YamlPosition>;

  void check_key(const YamlNode::Child& child, const std::string& path, Seen& seen) {
    if (child.key == "<<")
      return report(child.key_position, path,
                    "merge keys are not supported; use an alias for the whole map");
    const auto [first, is_new] = seen.emplace(child.key, child.key_position);
    if (is_new) return;
    report(child.key_position, path,
           "duplicate key; the first one is at " + std::to_string(first->second.line) + ':' +
               std::to_string(first->second.column));
  }
  void report(YamlPosition at, const std::string& path, std::string sentence) {
    add_fault(faults_, {file_, at.line, at.column, path, std::move(sentence)});
  }

  const std::string& file_;
  std::vector<Fault>& faults_;
};

YamlDocument broken(const std::string& file, YamlPosition at, std::string sentence) {
  return {.root = nullptr, .faults = {{file, at.line, at.column, "-", std::move(sentence)}}};
}

// An empty file is an empty map, so that its faults are the missing keys.
YamlPointer root_or_empty(YamlPointer root) {
  return root ? std::move(root) : std::make_shared<const YamlNode>();
}

YamlPointer parse_documents(const std::string& text) {
  YamlTreeBuilder builder{text};
  std::istringstream stream{text};
  YAML::Parser parser{stream};
  while (parser.HandleNextDocument(builder)) {
  }
  return builder.take_root();
}

// From 0.8 on yaml-cpp adds the anchor's name: the position is enough, and the same with each.
std::string sentence_of(const YAML::Exception& error) {
  constexpr std::string_view unknown_anchor = "the referenced anchor is not defined";
  if (error.msg.starts_with(unknown_anchor)) return std::string{unknown_anchor};
  return base::short_printable(error.msg);
}

}  // namespace

const char* YamlNode::kind_name() const noexcept {
  switch (kind) {
    case Kind::null: return "nothing";
    case Kind::scalar: return "a single value";
    case Kind::list: return "a list";
    case Kind::map: return "a map";
  }
  return "";
}

void add_fault(std::vector<Fault>& faults, Fault fault) {
  if (faults.size() > faults_max) return;
  if (faults.size() == faults_max)
    fault.sentence = "more than " + std::to_string(faults_max) + " faults; not all are told";
  faults.push_back(std::move(fault));
}

std::string key_path(const std::string& path, std::string_view key) {
  return path.empty() ? base::short_printable(key) : path + '.' + base::short_printable(key);
}

std::string item_path(const std::string& path, std::size_t index) {
  return path + '[' + std::to_string(index) + ']';
}

YamlDocument parse_yaml(const std::string& text, const std::string& file) {
  const std::string plain = without_byte_order_mark(text);
  if (const auto fault = find_bad_byte(plain))
    return broken(file, fault->position, fault->sentence);
  try {
    YamlDocument result{.root = root_or_empty(parse_documents(plain)), .faults = {}};
    KeyCheck{file, result.faults}.visit(*result.root, "");
    return result;
  } catch (const YamlTreeError& error) {
    return broken(file, error.position, error.sentence);
  } catch (const YAML::Exception& error) {
    const YamlPosition at{std::max(1, error.mark.line + 1), std::max(1, error.mark.column + 1)};
    return broken(file, at, sentence_of(error) + syntax_hint(plain, at.line));
  }
}

}  // namespace penstock::config

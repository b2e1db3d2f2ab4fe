#pragma once
// A YAML file as a tree that knows the position of everything in it.
//
// Built from the parser's events and not from its own tree, because that one keeps duplicate keys
// and drops positions, flow style and the fact that a value came through an alias.
//
// Thread   any; a tree never changes.
// Limits   config_depth_max, and config_nodes_max and config_text_max (aliases expanded), of
//          base/limits.hpp.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace penstock::config {

struct YamlPosition {
  int line = 1;  // 1-based, both
  int column = 1;
};

struct YamlNode;
using YamlPointer = std::shared_ptr<const YamlNode>;

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, map };

  struct Child {
    std::string key;  // empty in a list
    YamlPosition key_position;
    YamlPointer value;
    bool via_alias = false;  // the value stands elsewhere, too
  };

  Kind kind = Kind::null;
  bool in_flow_style = false;
  YamlPosition position;
  std::string text;             // of a scalar, as it stands in the file
  std::vector<Child> children;  // of a list or a map, in the file's order
  int height = 0;               // 0 for a scalar, else one more than the highest child
  std::size_t nodes = 1;        // in this subtree, aliases expanded
  std::size_t bytes = 0;        // of the values in this subtree, aliases expanded

  const char* kind_name() const noexcept;
};

// So many faults of one file are told: one more says that others are not.
inline constexpr std::size_t faults_max = 10'000;
// Adds a fault, where there is room.
void add_fault(std::vector<Fault>& faults, Fault fault);

struct YamlDocument {
  YamlPointer root;           // empty where the text is no document at all
  std::vector<Fault> faults;  // a syntax error, alone; or duplicate and merge keys
};

// Where a value stands, for a fault: listeners[0].connect.timeout.
std::string key_path(const std::string& path, std::string_view key);
std::string item_path(const std::string& path, std::size_t index);

// `file` is the name for the faults. Top-level keys x-* stay in the tree.
YamlDocument parse_yaml(const std::string& text, const std::string& file);

}  // namespace penstock::config

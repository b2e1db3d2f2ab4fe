#pragma once
// The keys of a configuration, as YAML sees them and not its reader.

#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace penstock::config {

inline std::string path_below(const std::string& path, const std::string& key) {
  if (path.empty()) return key;
  return path == "upstreams" ? "upstreams.*" : path + '.' + key;
}

// Every key that occurs, in the form of schema_keys().
inline void collect_keys(const YAML::Node& node, const std::string& path,
                         std::set<std::string>& keys) {
  if (node.IsSequence())
    for (const auto& item : node) collect_keys(item, path + "[]", keys);
  if (!node.IsMap()) return;
  for (const auto& entry : node) {
    const auto key = entry.first.as<std::string>();
    if (path.empty() && key.starts_with("x-")) continue;
    const std::string child = path_below(path, key);
    if (path != "upstreams") keys.insert(child);
    collect_keys(entry.second, child, keys);
  }
}

// The places of the values of every key, that of a list being those of its items: to write to.
using ValuesByKey = std::map<std::string, std::vector<YAML::Node>>;
inline void collect_values(YAML::Node node, const std::string& path, ValuesByKey& values) {
  if (node.IsScalar()) values[path].push_back(node);
  if (node.IsSequence())
    for (auto item : node) collect_values(item, item.IsScalar() ? path : path + "[]", values);
  if (!node.IsMap()) return;
  for (auto entry : node) {
    const auto key = entry.first.as<std::string>();
    if (path.empty() && key.starts_with("x-")) continue;
    collect_values(entry.second, path_below(path, key), values);
  }
}

inline std::set<std::string> keys_of(const std::string& text) {
  std::set<std::string> keys;
  collect_keys(YAML::Load(text), "", keys);
  return keys;
}

}  // namespace penstock::config

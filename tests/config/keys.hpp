#pragma once
// The keys of a configuration, as YAML sees them and not its reader.

#include <yaml-cpp/yaml.h>

#include <set>
#include <string>

namespace penstock::config {

// Every key that occurs, in the form of schema_keys().
inline void collect_keys(const YAML::Node& node, const std::string& path,
                         std::set<std::string>& keys) {
  if (node.IsSequence())
    for (const auto& item : node) collect_keys(item, path + "[]", keys);
  if (!node.IsMap()) return;
  for (const auto& entry : node) {
    const auto key = entry.first.as<std::string>();
    if (path.empty() && key.starts_with("x-")) continue;
    if (path == "upstreams") {
      collect_keys(entry.second, "upstreams.*", keys);
      continue;
    }
    std::string child = path;
    child += path.empty() ? key : '.' + key;
    keys.insert(child);
    collect_keys(entry.second, child, keys);
  }
}

inline std::set<std::string> keys_of(const std::string& text) {
  std::set<std::string> keys;
  collect_keys(YAML::Load(text), "", keys);
  return keys;
}

}  // namespace penstock::config

#include "config/effective.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "config/yaml/writing.hpp"
#include "upstream/hash.hpp"

namespace penstock::config {

namespace {

namespace json = boost::json;

// A key whose value nobody should read.
bool is_secret(std::string_view key) {
  static constexpr std::array<std::string_view, 3> secrets{"password", "token", "key"};
  return std::find(secrets.begin(), secrets.end(), key) != secrets.end();
}

bool is_integer(std::string_view text) {
  constexpr std::size_t digits_max = 15;  // every reader of JSON holds these
  return !text.empty() && text.size() <= digits_max && (text == "0" || text.front() != '0') &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

json::value value_of(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  return is_integer(text) ? json::value(std::stoull(text)) : json::value(text);
}

class Completion {
 public:
  explicit Completion(const DefaultsByMap& defaults) : defaults_{defaults} {}

  json::value complete(const YamlNode& node, const std::string& path) const {
    switch (node.kind) {
      case YamlNode::Kind::scalar: return value_of(node.text);
      case YamlNode::Kind::list: return list(node, path);
      case YamlNode::Kind::map:
      case YamlNode::Kind::null: break;
    }
    return map(node, path);
  }

 private:
  json::array list(const YamlNode& node, const std::string& path) const {
    json::array items;
    for (const YamlNode::Child& child : node.children)
      items.push_back(complete(*child.value, item_path(path, items.size())));
    return items;
  }

  json::object map(const YamlNode& node, const std::string& path) const {
    json::object result;
    for (const YamlNode::Child& child : node.children)
      if (!(path.empty() && child.key.starts_with("x-")))
        add(result, child.key, *child.value, path);
    if (const auto found = defaults_.find(path); found != defaults_.end())
      for (const DefaultOfKey& each : found->second) add(result, each.key, *each.value, path);
    return result;
  }

  // Nothing below a key is what an absent key is.
  void add(json::object& target, const std::string& key, const YamlNode& node,
           const std::string& path) const {
    json::value value = complete(node, key_path(path, key));
    if (node.kind == YamlNode::Kind::null && value.as_object().empty()) return;
    const bool hidden = is_secret(key) && node.kind == YamlNode::Kind::scalar && !node.text.empty();
    target[key] = hidden ? json::value("***") : std::move(value);
  }

  const DefaultsByMap& defaults_;
};

// Terminals obey them; both languages know the escape. They stand only between quotes.
std::string without_control_characters(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (byte == 0x7f)
      result += "\\u007f";
    else if (byte == 0xc2 && next < 0xa0)
      result += fmt::format("\\u{:04x}", +next), ++i;
    else
      result += text[i];
  }
  return result;
}

}  // namespace

EffectiveConfig effective_config(const YamlNode& root, const DefaultsByMap& defaults) {
  const json::value tree = Completion{defaults}.complete(root, "");
  EffectiveConfig config{.yaml = without_control_characters(yaml_text(tree)),
                         .json = without_control_characters(json::serialize(tree)) + '\n',
                         .hash = {}};
  config.hash = fmt::format("{:016x}", upstream::hash_of(std::string_view{config.yaml}));
  return config;
}

}  // namespace penstock::config

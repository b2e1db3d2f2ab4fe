#include "config/yaml/reader.hpp"

#include <algorithm>

#include "base/promised.hpp"
#include "base/text.hpp"
#include "base/words.hpp"
#include "config/scalars.hpp"

namespace penstock::config {

namespace {

// An IPv6 address without quotes is a list by the rules of flow style: [::1]:80.
bool looks_unquoted(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::scalar) return node.text.find("::") != std::string::npos;
  return std::any_of(node.children.begin(), node.children.end(), [](const auto& child) {
    return child.key.find("::") != std::string::npos || looks_unquoted(*child.value);
  });
}

bool has_variable(const YamlPlace& place) {
  return place.node->kind == YamlNode::Kind::scalar &&
         place.node->text.find("${") != std::string::npos;
}

std::string pattern_of(const std::string& parent, std::string_view key) {
  return parent.empty() ? std::string{key} : parent + '.' + std::string{key};
}

}  // namespace

void ConfigReading::report(YamlPosition at, const std::string& path, std::string sentence) {
  add_fault(faults, {file_, at.line, at.column, path.empty() ? "-" : path, std::move(sentence)});
}

std::string ConfigReading::path_of(const std::string& text) const {
  return text.starts_with('/') ? text : file_.substr(0, file_.rfind('/') + 1) + text;
}

void ConfigReading::report(const YamlPlace& place, std::string sentence) {
  if (has_variable(place)) sentence = base::as_written(sentence, place.node->text);
  report_shown(place, std::move(sentence));
}

void ConfigReading::report_shown(const YamlPlace& place, std::string sentence) {
  report(place.node->position, place.path, std::move(sentence));
}

std::string_view ConfigReading::shown(const YamlPlace& place, std::string_view text) {
  return has_variable(place) ? std::string_view{place.node->text} : text;
}

void ConfigReading::report_type(const YamlPlace& place, std::string_view expected) {
  if (place.node->kind == YamlNode::Kind::map && report_promised(place)) return;
  std::string sentence = "expected " + std::string{expected} + ", found " + place.node->kind_name();
  if (place.node->in_flow_style && looks_unquoted(*place.node)) sentence += quoting_advice;
  report(place, std::move(sentence));
}

void ConfigReading::note_default(const YamlPlace& map, std::string_view key, YamlPointer value) {
  defaults_[map.path].push_back({std::string{key}, std::move(value)});
}

YamlPointer ConfigReading::made_scalar(const std::string& text) {
  YamlPointer& known = made_scalars_[text];
  if (known != nullptr) return known;
  const auto node = std::make_shared<YamlNode>();
  node->kind = YamlNode::Kind::scalar;
  node->text = text;
  return known = node;
}

// Where a later version takes a map, its keys are no mistake.
bool ConfigReading::report_promised(const YamlPlace& place) {
  bool is_reported = false;
  for (const YamlNode::Child& each : place.node->children) {
    if (!base::is_promised_key(pattern_of(place.pattern, each.key))) continue;
    report(each.key_position, key_path(place.path, each.key), std::string{base::not_supported_yet});
    is_reported = true;
  }
  return is_reported;
}

std::string ConfigReading::fault_of_promised(const YamlPlace& place, std::string_view text) {
  if (!base::is_promised_value(place.pattern, text)) return {};
  return base::in_quotes(text) + " is " + std::string{base::not_supported_yet};
}

std::optional<std::string> ConfigReading::text_of(const YamlPlace& place) {
  std::optional<std::string> text = bytes_of(place, {});
  if (!text || base::is_plain_text(*text)) return text;
  const char* const fault = base::is_utf8(*text) ? " contains a control character"
                                                 : " is not UTF-8: see what the environment holds";
  report(place, base::in_quotes(place.node->text) + fault);
  return std::nullopt;
}

bool ConfigReading::read_name(const YamlPlace& place, std::string& target) {
  const std::optional<std::string> bytes = bytes_of(place, {});
  if (!bytes) return false;
  std::string fault = parse_label(base::is_utf8(*bytes) ? *bytes : base::printable(*bytes), target);
  if (fault.empty()) return true;
  report(place, std::move(fault));
  return false;
}

std::optional<std::string> ConfigReading::bytes_of(const YamlPlace& place,
                                                   const OwnText& unescape) {
  if (place.node->kind != YamlNode::Kind::scalar) {
    report_type(place, "a single value");
    return std::nullopt;
  }
  std::string text;
  if (std::string fault =
          replace_environment(place.node->text, text, room_for_variables_, unescape);
      !fault.empty()) {
    report_shown(place, std::move(fault));
    return std::nullopt;
  }
  return text;
}

std::vector<YamlPlace> ConfigReading::items_of(const YamlPlace& place) {
  if (place.node->kind != YamlNode::Kind::list) {
    report_type(place, "a list");
    return {};
  }
  std::vector<YamlPlace> result;
  for (const YamlNode::Child& child : place.node->children)
    result.push_back({child.value, item_path(place.path, result.size()), place.pattern + "[]",
                      place.shows_defaults});
  return result;
}

std::vector<YamlPlace> ConfigReading::one_or_items_of(const YamlPlace& place) {
  if (place.node->kind == YamlNode::Kind::list) return items_of(place);
  return {{place.node, place.path, place.pattern + "[]", place.shows_defaults}};
}

MapReader::MapReader(ConfigReading& reading, YamlPlace place)
    : reading_{reading}, place_{std::move(place)} {
  if (!is_good()) reading_.report_type(place_, "a map");
}

const YamlNode::Child* MapReader::child(std::string_view key) const {
  if (!is_good()) return nullptr;
  const auto& children = place_.node->children;
  const auto found = std::find_if(children.begin(), children.end(),
                                  [key](const auto& each) { return each.key == key; });
  return found == children.end() ? nullptr : &*found;
}

std::optional<YamlPlace> MapReader::find(std::string_view key) {
  known_.emplace_back(key);
  std::string pattern = pattern_of(place_.pattern, key);
  reading_.note_key(pattern);
  const YamlNode::Child* found = child(key);
  if (found == nullptr) return std::nullopt;
  return YamlPlace{found->value, key_path(place_.path, key), std::move(pattern),
                   place_.shows_defaults};
}

YamlPlace MapReader::section(std::string_view key) {
  if (auto found = find(key)) return *found;
  const auto empty = std::make_shared<const YamlNode>();
  if (shows_defaults()) reading_.note_default(place_, key, empty);
  return {empty, key_path(place_.path, key), pattern_of(place_.pattern, key),
          place_.shows_defaults};
}

void MapReader::note_default(std::string_view key, const std::vector<std::string>& items) {
  if (!shows_defaults()) return;
  const auto list = std::make_shared<YamlNode>();
  list->kind = YamlNode::Kind::list;
  for (const std::string& item : items)
    list->children.push_back({.key = {}, .key_position = {}, .value = reading_.made_scalar(item)});
  reading_.note_default(place_, key, list);
}

std::optional<YamlPlace> MapReader::require(std::string_view key) {
  std::optional<YamlPlace> found = find(key);
  if (!found && is_good() && !has_promised())
    reading_.report(place_.node->position, key_path(place_.path, key), "missing");
  return found;
}

bool MapReader::is_promised(const YamlNode::Child& child) const {
  return base::is_promised_key(pattern_of(place_.pattern, child.key));
}

bool MapReader::has_promised() const {
  const auto& children = place_.node->children;
  return std::any_of(children.begin(), children.end(),
                     [this](const auto& each) { return is_promised(each); });
}

void MapReader::report_key(std::string_view key, std::string sentence) {
  if (const YamlNode::Child* found = child(key))
    reading_.report(found->key_position, key_path(place_.path, key), std::move(sentence));
}

void MapReader::finish() {
  if (!is_good()) return;
  for (const YamlNode::Child& each : place_.node->children) {
    // Merge keys were reported where the document was checked.
    if (each.key == "<<") continue;
    if (place_.path.empty() && each.key.starts_with("x-")) continue;
    if (std::find(known_.begin(), known_.end(), each.key) != known_.end()) continue;
    reading_.report(each.key_position, key_path(place_.path, each.key),
                    is_promised(each)
                        ? std::string{base::not_supported_yet}
                        : "unknown key" + reading_.suggestions.nearest(each.key, known_));
  }
}

std::vector<std::pair<std::string, YamlPlace>> MapReader::all_named() {
  std::vector<std::pair<std::string, YamlPlace>> result;
  if (!is_good()) return result;
  std::set<std::string_view> seen;
  for (const YamlNode::Child& each : place_.node->children) {
    if (each.key == "<<" || !seen.insert(each.key).second) continue;
    result.emplace_back(each.key, YamlPlace{each.value, key_path(place_.path, each.key),
                                            place_.pattern + ".*", place_.shows_defaults});
  }
  return result;
}

}  // namespace penstock::config

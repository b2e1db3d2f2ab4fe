#pragma once
// Reading a tree by a schema that is written once: asking for a key names it, types it, bounds it
// and makes it known.
//
// A reader never stops at a fault; it reports it and leaves the target with its default.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/words.hpp"
#include "config/scalars.hpp"
#include "config/yaml/document.hpp"
#include "config/yaml/text.hpp"

namespace penstock::config {

// A node and where it stands.
struct YamlPlace {
  YamlPointer node;
  std::string path;            // listeners[0].bind
  std::string pattern;         // listeners[].bind
  bool shows_defaults = true;  // false: what is absent here has its value from elsewhere
};

// The values of absent keys, by the path of their map, in the order in which they were asked for.
struct DefaultOfKey {
  std::string key;
  YamlPointer value;  // an empty map for a section, whose own keys follow under its path
};
using DefaultsByMap = std::map<std::string, std::vector<DefaultOfKey>>;

// One load of one file: what every reader of it shares.
class ConfigReading {
 public:
  ConfigReading(std::string file, bool resolve_names)
      : file_{std::move(file)}, resolve_names_{resolve_names} {}

  const std::string& file() const noexcept { return file_; }
  bool resolve_names() const noexcept { return resolve_names_; }
  // A relative path starts at the folder of the configuration file.
  std::string path_of(const std::string& text) const;
  void report(YamlPosition at, const std::string& path, std::string sentence);
  // At the value itself. What came from ${NAME} is not shown: what the sentence quotes is named as
  // it stands in the file.
  void report(const YamlPlace& place, std::string sentence);
  // The same for a sentence that quotes the values of several places, each by shown().
  void report_shown(const YamlPlace& place, std::string sentence);
  // The text, where it came from this place without a ${NAME}; else what the file says there.
  static std::string_view shown(const YamlPlace& place, std::string_view text);
  void note_key(std::string pattern) { keys_.insert(std::move(pattern)); }

  // The text of a single value, ${NAME} replaced; empty after a fault. Bytes that are not UTF-8 and
  // control characters are one: what is read here goes on to pages, labels, logs and terminals.
  std::optional<std::string> text_of(const YamlPlace& place);
  // The same for bytes that nobody but a peer sees: any may stand there, and escapes are undone by
  // `unescape` in what the file says, never in what a variable holds.
  std::optional<std::string> bytes_of(const YamlPlace& place, const OwnText& unescape);

  // A name, which is for eyes alone: what a variable puts in that is not UTF-8 stands in it as
  // \xNN. False after a fault.
  bool read_name(const YamlPlace& place, std::string& target);

  // From here on the defaults of absent keys are noted, for effective_config().
  void begin_to_note_defaults() { notes_defaults_ = true; }
  bool notes_defaults() const noexcept { return notes_defaults_; }
  void note_default(const YamlPlace& map, std::string_view key, YamlPointer value);
  // A scalar that stands in no file. One for each text: many maps have the same defaults.
  YamlPointer made_scalar(const std::string& text);
  const DefaultsByMap& defaults() const noexcept { return defaults_; }

  // parse(text, target) as in config/scalars.hpp. False after a fault.
  template <class T, class Parser>
  bool read(const YamlPlace& place, T& target, const Parser& parse) {
    const std::optional<std::string> text = text_of(place);
    if (!text) return false;
    std::string sentence = fault_of_promised(place, *text);
    if (sentence.empty()) sentence = parse(std::string_view{*text}, target);
    if (sentence.empty()) return true;
    report(place, std::move(sentence));
    return false;
  }

  // The items of a list; anything else is a fault.
  std::vector<YamlPlace> items_of(const YamlPlace& place);
  // The items of a list, or the value itself.
  std::vector<YamlPlace> one_or_items_of(const YamlPlace& place);

  // The sentence about a value that is promised and not there yet; empty for any other.
  static std::string fault_of_promised(const YamlPlace& place, std::string_view text);
  // Says what a value of the wrong type should have been.
  void report_type(const YamlPlace& place, std::string_view expected);

  std::vector<Fault> faults;
  std::vector<std::string> warnings;
  base::Suggestions suggestions;  // of the whole file
  const std::set<std::string>& keys() const noexcept { return keys_; }

 private:
  bool report_promised(const YamlPlace& place);

  std::string file_;
  bool resolve_names_;
  std::set<std::string> keys_;
  // A file cannot become larger by its variables than it may be by itself.
  std::size_t room_for_variables_ = base::config_bytes_max;
  bool notes_defaults_ = false;
  DefaultsByMap defaults_;
  std::map<std::string, YamlPointer> made_scalars_;  // by text
};

// The keys of one map. finish() reports those that nobody asked for.
class MapReader {
 public:
  // A value that is no map is reported here, and then has no keys; nothing at all is an empty map.
  MapReader(ConfigReading& reading, YamlPlace place);

  // The value of a key, where it is present.
  std::optional<YamlPlace> find(std::string_view key);
  // As find(), and reports an absent key, unless has_promised().
  std::optional<YamlPlace> require(std::string_view key);
  // Present, without making the key known.
  bool has(std::string_view key) const { return child(key) != nullptr; }

  // A map; where it is absent, an empty one, so that its keys have their defaults.
  YamlPlace section(std::string_view key);

  // True where the key was present and good.
  template <class T, class Parser>
  bool optional(std::string_view key, T& target, const Parser& parse) {
    const auto value = find(key);
    if (value) return reading_.read(*value, target, parse);
    if (shows_defaults())
      if (const auto text = text_for(parse, target)) note_default(key, *text);
    return false;
  }

  // What GET /config shows of a key that is absent, where it is not read by optional().
  void note_default(std::string_view key, const std::string& text) {
    if (shows_defaults()) reading_.note_default(place_, key, reading_.made_scalar(text));
  }
  void note_default(std::string_view key, const std::vector<std::string>& items);
  bool shows_defaults() const noexcept {
    return place_.shows_defaults && reading_.notes_defaults();
  }

  // While it lives absent keys have no defaults to show: their values come from elsewhere, or mean
  // nothing here.
  class HiddenDefaults {
   public:
    explicit HiddenDefaults(MapReader& reader, bool hidden = true)
        : reader_{reader}, before_{reader.place_.shows_defaults} {
      if (hidden) reader.place_.shows_defaults = false;
    }
    HiddenDefaults(const HiddenDefaults&) = delete;
    HiddenDefaults& operator=(const HiddenDefaults&) = delete;
    ~HiddenDefaults() { reader_.place_.shows_defaults = before_; }

   private:
    MapReader& reader_;
    const bool before_;
  };

  // Names a key that is promised and not there yet, which finish() reports: that one is the fault
  // to mend.
  bool has_promised() const;
  // A fault at a key.
  void report_key(std::string_view key, std::string sentence);
  // A fault at the map.
  void report(std::string sentence) { reading_.report(place_, std::move(sentence)); }
  void finish();

  bool is_good() const noexcept {
    return place_.node->kind != YamlNode::Kind::scalar && place_.node->kind != YamlNode::Kind::list;
  }
  ConfigReading& reading() noexcept { return reading_; }
  // Every key of the file in this map, with a free name for each: for upstreams.*
  std::vector<std::pair<std::string, YamlPlace>> all_named();

 private:
  const YamlNode::Child* child(std::string_view key) const;
  bool is_promised(const YamlNode::Child& child) const;

  ConfigReading& reading_;
  YamlPlace place_;
  std::vector<std::string> known_;
};

}  // namespace penstock::config

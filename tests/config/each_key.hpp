#pragma once
// config/reference.yaml with each of its keys in turn saying something else.

#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "catch.hpp"
#include "config/config.hpp"
#include "config/keys.hpp"
#include "os/process.hpp"

namespace penstock::config {

// One of them is a value that each key may have instead of what reference.yaml says.
inline constexpr std::array<const char*, 33> other_values{
    "7",         "17s",    "true",
    "false",     "other",  "/other",
    "off",       "70%",    "70KiB",
    "10m",       "close",  "keep",
    "cpu",       "strict", "debug",
    "json",      "stderr", "open",
    "copy",      "first",  "source_port",
    "srv",       "v4",     "v2",
    "tls",       "cache",  "127.9.9.9:9",
    "127.9.9.9", "404",    "other.yaml",
    "0600",      "nobody", "other.example:81"};

inline std::optional<Config> config_of(const YAML::Node& document) {
  return load_config_text(YAML::Dump(document), "f.yaml", false).config;
}

// The configuration with some value at one of these places that makes another one of it.
inline std::optional<Config> changed_at(std::vector<YAML::Node>& places, const YAML::Node& document,
                                        const Config& reference) {
  for (YAML::Node& place : places) {
    const std::string value = place.Scalar();
    for (const char* other : other_values) {
      place = other;
      std::optional<Config> changed = config_of(document);
      place = value;
      if (changed && !(*changed == reference)) return changed;
    }
  }
  return std::nullopt;
}

// Calls `look` for each key that has a value. The keys of which no value makes another
// configuration.
using LookAtChange =
    std::function<void(const std::string& key, const Config& reference, const Config& changed)>;
inline std::set<std::string> change_each_key(const LookAtChange& look) {
  const os::FileText file =
      os::read_file(PENSTOCK_SOURCE_DIR "/config/reference.yaml", std::size_t{1} << 20);
  REQUIRE(file.error.empty());
  const YAML::Node document = YAML::Load(file.text);
  const std::optional<Config> reference = config_of(document);
  REQUIRE(reference);
  ValuesByKey values;
  collect_values(document, "", values);
  REQUIRE(values.size() > 100);
  std::set<std::string> without_effect;
  for (auto& [key, places] : values) {
    const std::optional<Config> changed = changed_at(places, document, *reference);
    if (changed)
      look(key, *reference, *changed);
    else
      without_effect.insert(key);
  }
  return without_effect;
}

}  // namespace penstock::config

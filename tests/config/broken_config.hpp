#pragma once
// Tables of broken configurations, each with every fault that a user must see, word for word.

#include <string>
#include <vector>

#include "catch.hpp"
#include "config/config.hpp"

namespace penstock::config {

struct BrokenConfig {
  std::string text;
  std::vector<std::string> faults;
};

// Every line of `keys` moved to the right.
inline std::string indented(const std::string& keys, std::size_t columns) {
  const std::string margin(columns, ' ');
  std::string result = margin;
  for (const char byte : keys) result += byte == '\n' ? "\n" + margin : std::string(1, byte);
  return result + '\n';
}

inline std::string with_upstream(const std::string& listeners) {
  return listeners + "upstreams:\n  web:\n    endpoints: [10.0.0.1:80]\n";
}

// A good listener in three lines; more of its keys would start in line 4, column 5.
inline std::string one_listener() {
  return "listeners:\n  - bind: 127.0.0.1:80\n    upstream: web\n";
}

inline std::string listener_with(const std::string& keys) {
  return with_upstream(one_listener() + indented(keys, 4));
}

// The value starts in line 2, column 11.
inline std::string bound_to(const std::string& bind) {
  return with_upstream("listeners:\n  - bind: " + bind + "\n    upstream: web\n");
}

// The keys start in line 6, column 5.
inline std::string upstream_with(const std::string& keys) {
  return one_listener() + "upstreams:\n  web:\n" + indented(keys, 4);
}

// The value starts in line 7, column 9.
inline std::string endpoint(const std::string& value) {
  return upstream_with("endpoints:\n  - " + value);
}

// The part starts in line 7, column 1.
inline std::string with_part(const std::string& part) {
  return with_upstream(one_listener()) + part + '\n';
}

inline std::vector<std::string> lines_of(const std::vector<Fault>& faults) {
  std::vector<std::string> result;
  for (const Fault& fault : faults) result.push_back(fault.to_string());
  return result;
}

inline void check_faults(const std::vector<BrokenConfig>& table) {
  for (const BrokenConfig& broken : table) {
    INFO(broken.text);
    const LoadedConfig loaded = load_config_text(broken.text, "f.yaml");
    CHECK_FALSE(loaded.config.has_value());
    CHECK(lines_of(loaded.faults) == broken.faults);
  }
}

inline Config good_config(const std::string& text) {
  const LoadedConfig loaded = load_config_text(text, "f.yaml");
  INFO(text);
  CHECK(lines_of(loaded.faults) == std::vector<std::string>{});
  REQUIRE(loaded.config);
  return *loaded.config;
}

}  // namespace penstock::config

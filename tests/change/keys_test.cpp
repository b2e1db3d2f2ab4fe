// No key of the configuration is forgotten where two are compared.

#include <algorithm>

#include "change/change.hpp"
#include "config/each_key.hpp"

using namespace penstock;
using change::Fate;

namespace {

// Every key that a change names.
change::Keys named_by(const change::Change& change) {
  change::Keys keys = change.process;
  const auto add = [&keys](const change::Keys& more) {
    keys.insert(keys.end(), more.begin(), more.end());
  };
  add(change.needs_restart);
  for (const auto& listener : change.listeners) add(listener.keys);
  for (const auto& upstream : change.upstreams) {
    add(upstream.keys);
    for (const auto& endpoint : upstream.endpoints) add(endpoint.keys);
  }
  return keys;
}

// "connect" is meant by "upstreams.*.connect.timeout", and "log.level" by itself.
bool is_meant_by(const std::string& key, const std::string& path) {
  return ('.' + path + '.').find('.' + key + '.') != std::string::npos ||
         path.starts_with(key + "[]");
}

// What makes others of listeners and endpoints, or of their sockets, and what two keys stand for.
const std::set<std::string> not_by_their_name{"listeners[].name",
                                              "listeners[].bind",
                                              "listeners[].v6_only",
                                              "upstreams.*.endpoints",
                                              "upstreams.*.endpoints[].dns",
                                              "upstreams.*.endpoints[].file",
                                              "upstreams.*.endpoints[].type",
                                              "upstreams.*.endpoints[].address",
                                              "upstreams.*.endpoints[].name",
                                              "upstreams.*.endpoints[].backup"};

}  // namespace

TEST_CASE("whichever key of reference.yaml is changed, the change names it", "[change]") {
  config::change_each_key(
      [](const std::string& path, const config::Config& reference, const config::Config& changed) {
        CAPTURE(path);
        const change::Change change = change::difference(reference, changed);
        CHECK_FALSE(change.is_empty());
        CHECK_FALSE(change::sentences_of(change).empty());
        const change::Keys named = named_by(change);
        if (not_by_their_name.contains(path)) return;
        CHECK(std::any_of(named.begin(), named.end(),
                          [&](const std::string& key) { return is_meant_by(key, path); }));
      });
}

// No key of the configuration is forgotten where two are compared.

#include <algorithm>
#include <array>

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

// How many of each fate.
using Fates = std::array<std::size_t, change::fate_names.size()>;

template <typename Items>
Fates fates_of(const Items& items) {
  Fates fates{};
  for (const auto& item : items) ++fates[static_cast<std::size_t>(item.fate)];
  return fates;
}

Fates mirrored(Fates fates) {
  std::swap(fates[static_cast<std::size_t>(Fate::added)],
            fates[static_cast<std::size_t>(Fate::removed)]);
  return fates;
}

template <typename Items, typename Member>
std::size_t count_of(const Items& items, Member member) {
  std::size_t count = 0;
  for (const auto& item : items) count += (item.*member).size();
  return count;
}

std::multiset<std::string> sorted(const change::Keys& keys) {
  return {keys.begin(), keys.end()};
}

void check_named(const std::string& path, const change::Change& change) {
  CHECK_FALSE(change.is_empty());
  CHECK_FALSE(change::sentences_of(change).empty());
  const change::Keys named = named_by(change);
  if (not_by_their_name.contains(path)) return;
  CHECK(std::any_of(named.begin(), named.end(),
                    [&](const std::string& key) { return is_meant_by(key, path); }));
}

void check_mirrored(const change::Change& there, const change::Change& back) {
  CHECK(sorted(named_by(there)) == sorted(named_by(back)));
  CHECK(fates_of(there.listeners) == mirrored(fates_of(back.listeners)));
  CHECK(fates_of(there.upstreams) == mirrored(fates_of(back.upstreams)));
  using change::ListenerChange;
  CHECK(count_of(there.listeners, &ListenerChange::opened) ==
        count_of(back.listeners, &ListenerChange::closed));
  CHECK(count_of(there.listeners, &ListenerChange::taken_over) ==
        count_of(back.listeners, &ListenerChange::given_away));
  for (std::size_t i = 0; i < there.upstreams.size() && i < back.upstreams.size(); ++i)
    CHECK(fates_of(there.upstreams[i].endpoints) ==
          mirrored(fates_of(back.upstreams[i].endpoints)));
}

}  // namespace

TEST_CASE(
    "whichever key of reference.yaml is changed, the change names it, and so does the way back",
    "[change]") {
  config::change_each_key(
      [](const std::string& path, const config::Config& reference, const config::Config& changed) {
        CAPTURE(path);
        const change::Change there = change::difference(reference, changed);
        check_named(path, there);
        check_mirrored(there, change::difference(changed, reference));
      });
}

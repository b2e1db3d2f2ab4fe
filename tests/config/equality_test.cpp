// Two configurations are equal exactly where they ask for the same.

#include <array>

#include "config/broken_config.hpp"
#include "config/keys.hpp"
#include "os/process.hpp"

namespace penstock::config {

namespace {

const std::string config_directory = PENSTOCK_SOURCE_DIR "/config/";

// One of them is a value that each key may have instead of what reference.yaml says.
constexpr std::array<const char*, 33> other_values{"7",         "17s",    "true",
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

std::optional<Config> config_of(const YAML::Node& document) {
  return load_config_text(YAML::Dump(document), "f.yaml", false).config;
}

// Some value at one of these places makes another configuration.
bool counts(const YAML::Node& document, const Config& as_it_is, std::vector<YAML::Node>& places) {
  for (YAML::Node& place : places) {
    const std::string value = place.Scalar();
    for (const char* other : other_values) {
      place = other;
      const std::optional<Config> changed = config_of(document);
      place = value;
      if (changed && !(*changed == as_it_is)) return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("whichever key of reference.yaml is changed, it is another configuration", "[config]") {
  const os::FileText file = os::read_file(config_directory + "reference.yaml", 1 << 20);
  REQUIRE(file.error.empty());
  const YAML::Node document = YAML::Load(file.text);
  const std::optional<Config> as_it_is = config_of(document);
  REQUIRE(as_it_is);
  ValuesByKey values;
  collect_values(document, "", values);
  REQUIRE(values.size() > 100);
  values.erase("listeners[].v6_only");  // means nothing alone: see below
  for (auto& [key, places] : values) {
    CAPTURE(key);
    CHECK(counts(document, *as_it_is, places));
    REQUIRE(config_of(document) == as_it_is);
  }
}

TEST_CASE("v6_only makes another configuration of a bind that it may stand beside", "[config]") {
  const auto bound = [](const std::string& more) {
    return good_config(bound_to("'[::]:80'" + more));
  };
  CHECK(bound("") == bound("\n    v6_only: false"));
  CHECK_FALSE(bound("") == bound("\n    v6_only: true"));
}

TEST_CASE("a configuration that is read twice is the same", "[config]") {
  for (const char* name : {"minimal.yaml", "quickstart.yaml", "reference.yaml", "sidecar.yaml"}) {
    INFO(name);
    const auto once = load_config(config_directory + name);
    REQUIRE(once.config);
    CHECK(once.config == load_config(config_directory + name).config);
  }
}

TEST_CASE("how a configuration is written makes no other one", "[config]") {
  const Config plain = good_config(with_upstream(one_listener()));
  CHECK(plain == good_config("# a comment\n" + with_upstream(one_listener())));
  CHECK(plain == good_config(listener_with("name: 127.0.0.1:80")));
  CHECK(plain == good_config(with_part("defaults: {idle_timeout: 60m}")));
  CHECK(plain == good_config(listener_with("idle_timeout: 3600s")));
  CHECK(plain == good_config(upstream_with("endpoints:\n  - {address: 10.0.0.1:80, weight: 1}")));
  CHECK(plain == good_config("x-mine: 1\n" + with_upstream(one_listener())));
  CHECK_FALSE(plain == good_config(with_part("defaults: {idle_timeout: 61m}")));
}

TEST_CASE("the order of lists counts, for it decides what is tried first", "[config]") {
  CHECK_FALSE(good_config(upstream_with("endpoints: ['10.0.0.1:80', '10.0.0.2:80']")) ==
              good_config(upstream_with("endpoints: ['10.0.0.2:80', '10.0.0.1:80']")));
}

}  // namespace penstock::config

// Two configurations are equal exactly where they ask for the same.

#include "config/broken_config.hpp"
#include "config/each_key.hpp"

namespace penstock::config {

namespace {

const std::string config_directory = PENSTOCK_SOURCE_DIR "/config/";

}  // namespace

TEST_CASE("whichever key of reference.yaml is changed, it is another configuration", "[config]") {
  const std::set<std::string> without_effect =
      change_each_key([](const std::string&, const Config& reference, const Config& changed) {
        CHECK_FALSE(changed == reference);
      });
  // It means nothing beside an address of IPv4: see below.
  CHECK(without_effect == std::set<std::string>{"listeners[].v6_only"});
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

#include "config/effective.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cstdlib>
#include <functional>
#include <set>

#include "config/broken_config.hpp"
#include "config/keys.hpp"
#include "linear.hpp"
#include "os/process.hpp"

namespace penstock::config {

namespace {

const std::vector<std::string> config_files = {"minimal.yaml", "quickstart.yaml", "reference.yaml",
                                               "sidecar.yaml"};

std::string text_of_file(const std::string& name) {
  const os::FileText file = os::read_file(PENSTOCK_SOURCE_DIR "/config/" + name, 1 << 20);
  REQUIRE(file.error.empty());
  return file.text;
}

EffectiveConfig shown(const std::string& text) {
  const LoadedConfig loaded = load_config_text(text, "f.yaml", false);
  INFO(text);
  CHECK(lines_of(loaded.faults) == std::vector<std::string>{});
  REQUIRE(loaded.config);
  return loaded.config->shown;
}

// Every scalar of a document, as a place to write to.
void collect_scalars(YAML::Node node, std::vector<YAML::Node>& scalars) {
  if (node.IsScalar()) scalars.push_back(node);
  for (auto entry : node) collect_scalars(node.IsMap() ? entry.second : entry, scalars);
}

// So many endpoints in lists of the length that an upstream may have.
std::string with_endpoints(std::size_t count) {
  constexpr std::size_t per_upstream = 4000;
  std::string text = one_listener() + "upstreams:\n  web: {endpoints: ['10.0.0.1:80']}\n";
  for (std::size_t i = 0; i < count; ++i) {
    if (i % per_upstream == 0) text += "  u" + std::to_string(i) + ":\n    endpoints:\n";
    text += "    - {address: '10.1." + std::to_string(i / 250) + '.' + std::to_string(i % 250) +
            ":80'}\n";
  }
  return text;
}

}  // namespace

TEST_CASE("the reader takes the effective configuration, and understands the same", "[config]") {
  for (const std::string& name : config_files) {
    CAPTURE(name);
    const std::string text = text_of_file(name);
    const std::string yaml = shown(text).yaml;
    CHECK(shown(yaml).yaml == yaml);
    const auto said = load_config_text(text, "f.yaml", false);
    CHECK(said.config == load_config_text(yaml, "f.yaml", false).config);
  }
}

TEST_CASE("every key of the schema stands in the effective configuration of reference.yaml",
          "[config]") {
  const std::string text = text_of_file("reference.yaml");
  const std::set<std::string> keys = keys_of(shown(text).yaml);
  for (const std::string& key : schema_keys(text)) {
    CAPTURE(key);
    CHECK(keys.contains(key));
  }
}

TEST_CASE("every key that has a default stands in the effective configuration", "[config]") {
  const std::string text = upstream_with("endpoints:\n  - {address: 10.0.0.1:80}") +
                           "admin:\n  - bind: 127.0.0.1:9900\n";
  const std::set<std::string> keys = keys_of(shown(text).yaml);
  std::set<std::string> absent;
  for (const std::string& key : schema_keys(text))
    if (!keys.contains(key)) absent.insert(key);
  // What a listener leaves out stands in `defaults`; what is off, or has no meaning, is absent.
  std::set<std::string> expected{"listeners[].files",
                                 "listeners[].group",
                                 "listeners[].mode",
                                 "listeners[].name",
                                 "listeners[].owner",
                                 "upstreams.*.endpoints[].backup",
                                 "upstreams.*.endpoints[].name",
                                 "upstreams.*.health_check",
                                 "upstreams.*.outlier"};
  for (const std::string& key : keys)
    if (key.starts_with("defaults."))
      expected.insert("listeners[]" + key.substr(std::string{"defaults"}.size()));
  CHECK(absent == expected);
}

TEST_CASE("an empty section has all of its defaults", "[config]") {
  const std::string yaml = shown(upstream_with("endpoints: ['10.0.0.1:80']\n"
                                               "health_check: {}\noutlier: {}"))
                               .yaml;
  const YAML::Node web = YAML::Load(yaml)["upstreams"]["web"];
  CHECK(web["health_check"]["type"].as<std::string>() == "tcp");
  CHECK(web["health_check"]["fall"].as<int>() == 3);
  CHECK(web["outlier"]["max_ejected"].as<std::string>() == "50%");
}

TEST_CASE("the effective configuration shows what the file says and the defaults beside it",
          "[config]") {
  const std::string yaml =
      shown(
          "x-mine: &port 127.0.0.1:80\n"
          "listeners:\n  - {name: web, bind: *port, upstream: app}\n"
          "upstreams: {app: {endpoints: [{address: 10.0.0.1:80, backup: true}, \"[::1]:81\"], "
          "health_check: {type: http, path: \"/a?b\"}}}\n"
          "defaults: {idle_timeout: 5m}\nlog: {access: {events: [open]}}\n")
          .yaml;
  INFO(yaml);
  const YAML::Node root = YAML::Load(yaml);
  CHECK_FALSE(root["x-mine"]);
  CHECK(root["listeners"][0]["bind"].as<std::string>() == "127.0.0.1:80");
  CHECK(root["listeners"][0]["max_connections"].as<std::string>() == "10000");
  CHECK_FALSE(root["listeners"][0]["idle_timeout"]);
  CHECK(root["defaults"]["idle_timeout"].as<std::string>() == "5m");
  CHECK(root["defaults"]["keepalive"]["idle"].as<std::string>() == "1m");
  const YAML::Node app = root["upstreams"]["app"];
  CHECK(app["endpoints"][0]["weight"].as<std::string>() == "1");
  CHECK_FALSE(app["endpoints"][0]["priority"]);  // it has `backup`
  CHECK(app["endpoints"][1].as<std::string>() == "[::1]:81");
  CHECK(app["health_check"]["path"].as<std::string>() == "/a?b");
  CHECK(app["health_check"]["status"][0].as<std::string>() == "200-399");
  CHECK(app["connect"]["timeout"].as<std::string>() == "2s");
  CHECK_FALSE(app["outlier"]);
  CHECK(root["log"]["access"]["events"].size() == 1);
  CHECK(root["log"]["access"]["sample"].as<std::string>() == "100%");
  CHECK(root["relay"]["max_pipes"].as<std::string>() == "auto");
  CHECK(root["relay"]["pipe_size"].as<std::string>() == "auto");
}

TEST_CASE("a default that could not be written is not shown", "[config]") {
  const std::string yaml = shown(with_part("relay: {buffer_size: 4KiB}")).yaml;
  CHECK(yaml.find("zerocopy_threshold") == std::string::npos);
  CHECK(shown(yaml).yaml == yaml);
}

TEST_CASE("whatever a value says, the effective configuration says it again", "[config]") {
  for (const char* value :
       {"\"null\"", "\"Null\"", "\"~\"", "\"true\"", "\"01\"", "\"a: b\"", "\"# c\"", "\"- d\"",
        "\"it's \\\"e\\\"\"", "\" f \"", "\"*g\"", "\"{h}\"", "\"$${i}\"", "\"\\u00e9\"", "'\\j'",
        "\"k:\"", "\"12345678901234567890\""}) {
    const std::string name = "name: ";
    const EffectiveConfig first = shown(listener_with(name + value));
    CHECK(shown(first.yaml).yaml == first.yaml);
    CHECK(good_config(first.yaml).server.listeners[0].session.name ==
          good_config(listener_with(name + value)).server.listeners[0].session.name);
  }
  // Bytes that only a peer may see are escapes here.
  const std::string text = upstream_with(
      "endpoints: ['10.0.0.1:80']\n"
      "health_check: {type: send_expect, expect: ok, send: \"\\x7f\\x9b\\x1b\\u00e9\\n\\\\x00\"}");
  const EffectiveConfig config = shown(text);
  CHECK(config.yaml.find("\"\\u007f\\u009b\\u001b\xc3\xa9\\n\\\\x00\"") != std::string::npos);
  CHECK(good_config(config.yaml).server.upstreams[0].health_check->send ==
        good_config(text).server.upstreams[0].health_check->send);
}

TEST_CASE("as JSON the effective configuration has numbers and booleans", "[config]") {
  const auto json = boost::json::parse(shown(with_upstream(one_listener())).json);
  CHECK(json.at("listeners").at(0).at("max_connections") == 10'000);
  CHECK(json.at("defaults").at("no_delay") == true);
  CHECK(json.at("relay").at("engine") == "adaptive");
}

TEST_CASE("the hash of a configuration changes with what it says", "[config]") {
  const auto hash_of = [](const std::string& text) { return shown(text).hash; };
  const std::string plain = with_upstream(one_listener());
  CHECK(hash_of(plain).size() == 16);
  CHECK(hash_of(plain) == hash_of("# a comment\n" + plain));
  CHECK(hash_of(plain) != hash_of(with_part("log: {level: debug}")));
}

TEST_CASE("what came from the environment is shown as it is written", "[config]") {
  ::setenv("PENSTOCK_TEST_WORD", "s3cr3t", 1);
  const EffectiveConfig config =
      shown(upstream_with("endpoints: [\"10.0.0.1:80\"]\n"
                          "health_check: {type: send_expect, send: \"${PENSTOCK_TEST_WORD}\", "
                          "expect: \"$${x} ${PENSTOCK_TEST_NONE:-or this}\"}"));
  CHECK(config.yaml.find("send: \"${PENSTOCK_TEST_WORD}\"\n") != std::string::npos);
  CHECK(config.yaml.find("expect: \"$${x} ${PENSTOCK_TEST_NONE:-or this}\"\n") !=
        std::string::npos);
  CHECK(config.json.find("s3cr3t") == std::string::npos);
  CHECK(config.json.find("${PENSTOCK_TEST_WORD}") != std::string::npos);
}

TEST_CASE("a password, a token and a key are shown as ***, wherever they stand", "[config]") {
  const YamlDocument document = parse_yaml(
      "a: [{password: s3cr3t}, {token: s3cr3t, user: me}]\nkey: s3cr3t\nb: {password: \"\"}\n",
      "f.yaml");
  const EffectiveConfig config = effective_config(*document.root, {});
  CHECK(config.yaml ==
        "a:\n  - password: \"***\"\n  - token: \"***\"\n    user: me\nkey: \"***\"\nb:\n"
        "  password: \"\"\n");
  CHECK(config.json.find("s3cr3t") == std::string::npos);
}

namespace {

// Loads reference.yaml with the variable in the place of each scalar that is chosen. The number of
// faults, none of which may show what the variable holds.
std::size_t faults_with(const std::string& value, const std::function<bool(std::size_t)>& chosen) {
  static const std::string reference = text_of_file("reference.yaml");
  ::setenv("PENSTOCK_TEST_WORD", value.c_str(), 1);
  YAML::Node document = YAML::Load(reference);
  std::vector<YAML::Node> scalars;
  collect_scalars(document, scalars);
  for (std::size_t i = 0; i < scalars.size(); ++i)
    if (chosen(i)) scalars[i] = "${PENSTOCK_TEST_WORD}";
  const LoadedConfig loaded = load_config_text(YAML::Dump(document), "f.yaml", false);
  for (const std::string& line : lines_of(loaded.faults)) {
    INFO(line);
    CHECK(line.find("s3cr3t") == std::string::npos);
  }
  if (loaded.config) CHECK(loaded.config->shown.yaml.find("s3cr3t") == std::string::npos);
  return loaded.faults.size();
}

}  // namespace

TEST_CASE("no fault and no effective configuration shows a value that was replaced", "[config]") {
  std::vector<YAML::Node> scalars;
  collect_scalars(YAML::Load(text_of_file("reference.yaml")), scalars);
  REQUIRE(scalars.size() > 120);
  for (const std::string& value :
       {std::string{"s3cr3t"}, std::string{"s3cr3t:80"}, std::string{"[s3cr3t]:80"},
        std::string{"10.0.0.1:s3cr3t"}, std::string{"7s3cr3t"}, std::string{"unix:s3cr3t"},
        std::string{"it's s3cr3t"}, std::string{"/s3cr3t \\q"}, std::string{"s3cr3t\x01"},
        "s3cr3t" + std::string(300, 'x')})
    CHECK(faults_with(value, [](std::size_t) { return true; }) > 60);
  // One at a time, for the faults between places that are good by themselves.
  std::size_t faults = 0;
  for (std::size_t one = 0; one < scalars.size(); ++one)
    faults += faults_with("it's s3cr3t:80", [one](std::size_t i) { return i == one; });
  CHECK(faults > 60);
}

TEST_CASE("a fault about two places names each as it is written there", "[config]") {
  ::setenv("PENSTOCK_TEST_WORD", "blue", 1);
  ::setenv("PENSTOCK_TEST_BIND", "127.0.0.1:80", 1);
  const std::vector<BrokenConfig> broken = {
      {with_upstream("listeners:\n"
                     "  - {name: \"${PENSTOCK_TEST_WORD}\", bind: 127.0.0.1:80, upstream: web}\n"
                     "  - {name: green, bind: \"${PENSTOCK_TEST_BIND}\", upstream: web}\n"),
       {"f.yaml:3:25: listeners[1].bind: '${PENSTOCK_TEST_BIND}' cannot be bound beside "
        "'127.0.0.1:80' of listener '${PENSTOCK_TEST_WORD}'"}},
      {"listeners:\n  - {bind: 127.0.0.1:80, upstream: web}\n"
       "upstreams: {web: {endpoints: [{address: \"${PENSTOCK_TEST_BIND}\"}]}}\n",
       {"f.yaml:3:41: upstreams.web.endpoints[0].address: '${PENSTOCK_TEST_BIND}' is listener "
        "'127.0.0.1:80' of this file: a loop; only a listener with files can be an endpoint"}},
      {upstream_with("endpoints:\n"
                     "  - {address: 10.0.0.1:1, name: blue}\n"
                     "  - {address: 10.0.0.1:2, name: \"${PENSTOCK_TEST_WORD}\"}"),
       {"f.yaml:8:9: upstreams.web.endpoints[1]: '${PENSTOCK_TEST_WORD}' is an endpoint already, "
        "at upstreams.web.endpoints[0]"}}};
  check_faults(broken);
}

TEST_CASE("the effective configuration costs what the number of endpoints says", "[config]") {
  const EffectiveConfig many = shown(with_endpoints(20'000));
  CHECK(std::count(many.yaml.begin(), many.yaml.end(), '\n') > 4 * 20'000);
  CHECK(growth([](std::size_t n) { static_cast<void>(shown(with_endpoints(n))); }, 1'000) <
        linear_growth_max);
}

}  // namespace penstock::config

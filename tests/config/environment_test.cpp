#include <cstdlib>

#include "config/broken_config.hpp"

namespace penstock::config {

namespace {

const std::vector<BrokenConfig> broken_variables = {
    {listener_with("name: ${PENSTOCK_TEST_UNSET}"),
     {"f.yaml:4:11: listeners[0].name: the environment has no 'PENSTOCK_TEST_UNSET'; write "
      "${PENSTOCK_TEST_UNSET:-default} to do without"}},
    {listener_with("name: ${1A}"),
     {"f.yaml:4:11: listeners[0].name: '${1A}' is neither ${NAME} nor ${NAME:-default}"}},
    {listener_with("name: ${A"),
     {"f.yaml:4:11: listeners[0].name: '${A' has no closing }; write $${ for a plain ${"}},
    {listener_with("name: ${A:-${B}}"),
     {"f.yaml:4:11: listeners[0].name: '${A:-${B}' bears another ${ in its default, which is plain "
      "text"}},
    {bound_to("\"unix:/run/${PENSTOCK_TEST_BYTES}\""),
     {"f.yaml:2:11: listeners[0].bind: 'unix:/run/${PENSTOCK_TEST_BYTES}' is not UTF-8: see what "
      "the "
      "environment holds"}},
    // What a variable holds is not shown.
    {listener_with("name: ${PENSTOCK_TEST_ESCAPE}"),
     {"f.yaml:4:11: listeners[0].name: '${PENSTOCK_TEST_ESCAPE}' contains a control character"}},
    {bound_to("\"unix:/run/${PENSTOCK_TEST_ESCAPE}\""),
     {"f.yaml:2:11: listeners[0].bind: 'unix:/run/${PENSTOCK_TEST_ESCAPE}' contains a control "
      "character"}},
    {bound_to("\"unix:/run/a\\nb\""),
     {"f.yaml:2:11: listeners[0].bind: 'unix:/run/a\\x0ab' contains a control character"}},
    {listener_with("name: \"a\\x9bb\""),
     {"f.yaml:4:11: listeners[0].name: 'a\\xc2\\x9bb' contains a control character"}},
    {listener_with("idle_timeout: ${PENSTOCK_TEST_UNSET:-5}"),
     {"f.yaml:4:19: listeners[0].idle_timeout: expected a duration, an integer with us, ms, s, m "
      "or h, not '${PENSTOCK_TEST_UNSET:-5}'"}},
};

std::string name_of(const std::string& value) {
  return good_config(listener_with("name: " + value)).server.listeners.at(0).session.name;
}

}  // namespace

TEST_CASE("a variable that cannot be replaced is a fault at its value", "[config]") {
  ::unsetenv("PENSTOCK_TEST_UNSET");
  ::setenv("PENSTOCK_TEST_BYTES", "w\xff", 1);
  ::setenv("PENSTOCK_TEST_ESCAPE", "\x1b[2J", 1);
  check_faults(broken_variables);
}

TEST_CASE("variables are replaced in values, as often as they stand there", "[config]") {
  ::setenv("PENSTOCK_TEST_ONE", "eins", 1);
  ::setenv("PENSTOCK_TEST_EMPTY", "", 1);
  ::unsetenv("PENSTOCK_TEST_UNSET");
  CHECK(name_of("${PENSTOCK_TEST_ONE}") == "eins");
  CHECK(name_of("a-${PENSTOCK_TEST_ONE}-${PENSTOCK_TEST_ONE}") == "a-eins-eins");
  CHECK(name_of("${PENSTOCK_TEST_UNSET:-zwei}") == "zwei");
  CHECK(name_of("${PENSTOCK_TEST_EMPTY:-zwei}") == "zwei");
  CHECK(name_of("${PENSTOCK_TEST_ONE:-zwei}") == "eins");
  CHECK(name_of("x${PENSTOCK_TEST_EMPTY}") == "x");
  CHECK(name_of("$${PENSTOCK_TEST_ONE}") == "${PENSTOCK_TEST_ONE}");
  CHECK(name_of("$5 $$") == "$5 $$");
}

TEST_CASE("bytes of a variable that are no text stand escaped in a name", "[config]") {
  ::setenv("PENSTOCK_TEST_BYTES", "w\xff", 1);
  CHECK(name_of("${PENSTOCK_TEST_BYTES}b") == "w\\xffb");
}

TEST_CASE("what a variable holds is not replaced again", "[config]") {
  ::setenv("PENSTOCK_TEST_NESTED", "${PENSTOCK_TEST_UNSET}", 1);
  CHECK(name_of("${PENSTOCK_TEST_NESTED}") == "${PENSTOCK_TEST_UNSET}");
}

TEST_CASE("variables put no more into a file than it may have by itself", "[config]") {
  ::setenv("PENSTOCK_TEST_LONG", std::string(100'000, 'x').c_str(), 1);
  std::string often;
  for (int i = 0; i < 11; ++i) often += "${PENSTOCK_TEST_LONG}";
  const std::string sentence =
      "with '${PENSTOCK_TEST_LONG}' the environment puts more than 1048576 bytes into this file: "
      "make the variable shorter, or name it less often";
  check_faults(
      {{listener_with("name: " + often), {"f.yaml:4:11: listeners[0].name: " + sentence}}});
  // Each value is longer than it may be; only the last of them finds no room.
  std::string listeners = "listeners:\n";
  for (int i = 0; i < 11; ++i)
    listeners += "  - {name: \"${PENSTOCK_TEST_LONG}\", bind: 127.0.0.1:" + std::to_string(80 + i) +
                 ", upstream: web}\n";
  const auto lines = lines_of(load_config_text(with_upstream(listeners), "f.yaml").faults);
  REQUIRE(lines.size() == 11);
  CHECK(lines[9] == "f.yaml:11:12: listeners[9].name: longer than 255 bytes");
  CHECK(lines[10] == "f.yaml:12:12: listeners[10].name: " + sentence);
}

TEST_CASE("a variable is a value and never structure", "[config]") {
  ::setenv("PENSTOCK_TEST_PORT", "8080", 1);
  ::setenv("PENSTOCK_TEST_LIST", "[127.0.0.1:1, 127.0.0.1:2]", 1);
  const Config config = good_config(bound_to("127.0.0.1:${PENSTOCK_TEST_PORT}"));
  CHECK(config.server.listeners.at(0).addresses.at(0).to_string() == "127.0.0.1:8080");
  CHECK(config.server.listeners.at(0).session.name == "127.0.0.1:8080");
  CHECK(load_config_text(bound_to("${PENSTOCK_TEST_LIST}"), "f.yaml").faults.size() == 1);
}

TEST_CASE("keys are not replaced", "[config]") {
  ::setenv("PENSTOCK_TEST_KEY", "backlog", 1);
  const auto loaded = load_config_text(listener_with("\"${PENSTOCK_TEST_KEY}\": 1"), "f.yaml");
  CHECK(lines_of(loaded.faults) ==
        std::vector<std::string>{"f.yaml:4:5: listeners[0].${PENSTOCK_TEST_KEY}: unknown key"});
}

}  // namespace penstock::config

// Whatever a file is or holds: faults, never a crash, a hang or a configuration.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/limits.hpp"
#include "config/broken_config.hpp"

namespace penstock::config {

namespace {

// A directory of one test, removed with what is in it.
class Scratch {
 public:
  Scratch() {
    std::string pattern = std::filesystem::temp_directory_path() / "penstock-config-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return path_ + '/' + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{file(name), std::ios::binary} << text;
    return file(name);
  }

 private:
  std::string path_;
};

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

std::vector<std::string> faults_of(const std::string& text) {
  const LoadedConfig loaded = load_config_text(text, "f.yaml", false);
  CHECK(loaded.config.has_value() == loaded.faults.empty());
  return lines_of(loaded.faults);
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what is deeper than 32 levels, or never closed, is one fault", "[config]") {
  CHECK(
      faults_of(repeated("[", 10'000)) ==
      Lines{"f.yaml:1:1: -: a list or a map cannot be a key; perhaps a closing ] or } is missing"});
  CHECK(faults_of(repeated("- ", 10'000)) == Lines{"f.yaml:1:65: -: nested deeper than 32"});
  CHECK(
      faults_of(repeated("{a: ", 10'000)) ==
      Lines{"f.yaml:1:1: -: a list or a map cannot be a key; perhaps a closing ] or } is missing"});
  CHECK(faults_of(repeated("[", 40) + repeated("]", 40)) ==
        Lines{"f.yaml:1:33: -: nested deeper than 32"});
  CHECK(faults_of("x-a: " + repeated("[", 31) + repeated("]", 31) + "\nlisteners: []\n") ==
        Lines{"f.yaml:2:12: listeners: expected at least one listener"});
  CHECK(faults_of("x-a: &a " + repeated("[", 20) + repeated("]", 20) +
                  "\nx-b: " + repeated("[", 12) + "*a" + repeated("]", 12) + "\n") ==
        Lines{"f.yaml:2:18: -: nested deeper than 32"});
}

TEST_CASE("aliases cannot grow a small file into a large one", "[config]") {
  std::string text = "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "x-" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before +
            repeated(", " + before, 8) + "]\n";
  }
  const Lines faults = faults_of(text);
  REQUIRE(faults.size() == 1);
  CHECK(faults.front().ends_with(": -: more than 200000 values, aliases included"));
  // Nor by one long value.
  const std::string long_value = "x-0: &a " + std::string(1'000'000, 'x') + "\nx-1:\n";
  CHECK(faults_of(long_value + repeated("- *a\n", 5)) ==
        Lines{"f.yaml:6:3: -: more than 4194304 bytes of values, aliases included"});
}

TEST_CASE("bytes that are no text are one fault at their position", "[config]") {
  CHECK(faults_of(std::string("a: 1\0\n", 6)) == Lines{"f.yaml:1:5: -: a NUL byte"});
  CHECK(faults_of(std::string("\0", 1)) == Lines{"f.yaml:1:1: -: a NUL byte"});
  CHECK(faults_of("a: 1\nb: \xc0\xaf\n") == Lines{"f.yaml:2:4: -: not UTF-8"});
  CHECK(faults_of("a: \xed\xa0\x80\n") == Lines{"f.yaml:1:4: -: not UTF-8"});
  CHECK(faults_of("a: \xf4\x90\x80\x80\n") == Lines{"f.yaml:1:4: -: not UTF-8"});
  CHECK(faults_of("\xff\xfe"
                  "a") == Lines{"f.yaml:1:1: -: not UTF-8"});
  CHECK(faults_of("\xef\xbb\xbf") == Lines{"f.yaml:1:1: listeners: missing"});
}

TEST_CASE("several faults are told together, in the order of the file", "[config]") {
  CHECK(faults_of("relay: {engine: fast}\n"
                  "listeners:\n"
                  "  - bind: 127.0.0.1:80\n"
                  "    upstream: wbe\n"
                  "    backlog: many\n"
                  "    idle_timout: 1s\n"
                  "    bind: 127.0.0.1:81\n"
                  "  - upstream: web\n"
                  "upstreams:\n"
                  "  web: {endpoints: [10.0.0.1]}\n"
                  "defaults: {dscp: 64}\n") ==
        Lines{"f.yaml:1:17: relay.engine: expected adaptive, splice, copy, zerocopy or uring, not "
              "'fast'",
              "f.yaml:4:15: listeners[0].upstream: there is no upstream 'wbe'; did you mean 'web'?",
              "f.yaml:5:14: listeners[0].backlog: expected a whole number from 0 to 1000000, not "
              "'many'",
              "f.yaml:6:5: listeners[0].idle_timout: unknown key; did you mean 'idle_timeout'?",
              "f.yaml:7:5: listeners[0].bind: duplicate key; the first one is at 3:5",
              "f.yaml:8:5: listeners[1].bind: missing",
              "f.yaml:10:21: upstreams.web.endpoints[0]: expected ip:port, [v6]:port or "
              "unix:/path, with a port from 1 to 65535",
              "f.yaml:11:18: defaults.dscp: expected a whole number from 0 to 63, not '64'"});
}

TEST_CASE("a long or strange value stays one readable line", "[config]") {
  CHECK(faults_of(listener_with("backlog: \"1\\n\\e[31m\"")) ==
        Lines{"f.yaml:4:14: listeners[0].backlog: '1\\x0a\\x1b[31m' contains a control character"});
  CHECK(faults_of(listener_with("no_delay: " + repeated("y", 5000))) ==
        Lines{"f.yaml:4:15: listeners[0].no_delay: expected true or false, not '" +
              repeated("y", 64) + "...'"});
  CHECK(faults_of(listener_with("\"a\\nb\": 1")) ==
        Lines{"f.yaml:4:5: listeners[0].a\\x0ab: unknown key"});
}

TEST_CASE("many faults are all told", "[config]") {
  std::string keys;
  for (int i = 0; i < 2000; ++i) keys += "key" + std::to_string(i) + ": 1\n";
  CHECK(faults_of(with_part(keys)).size() == 2000);
}

TEST_CASE("what is no readable file of at most 1 MiB is a fault of the whole file", "[config]") {
  const Scratch scratch;
  const std::string large = scratch.write("large", std::string(base::config_bytes_max + 1, '#'));
  const std::string absent = scratch.file("absent");
  const std::string directory = scratch.file("");
  CHECK(lines_of(load_config(directory).faults) ==
        Lines{directory + ":1:1: -: cannot read: Is a directory"});
  CHECK(lines_of(load_config(large).faults) ==
        Lines{large + ":1:1: -: is larger than 1048576 bytes"});
  CHECK(lines_of(load_config(absent).faults) ==
        Lines{absent + ":1:1: -: cannot open: No such file or directory"});
}

TEST_CASE("a file of exactly 1 MiB loads", "[config]") {
  const Scratch scratch;
  std::string text = with_upstream(one_listener()) + '#';
  text.resize(base::config_bytes_max, '-');
  CHECK(lines_of(load_config(scratch.write("full", text)).faults) == Lines{});
}

TEST_CASE("no single changed byte of a good file does harm", "[config]") {
  const std::string good = with_part(
      "x-a: &a {dns: \"localhost:1\", type: a}\nadmin: [{bind: 'unix:/a'}]\nlog: {level: "
      "\"info\"}");
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char byte : {'[', '{', '"', '\'', '&', '*', '!', '|', '?', ':', '\n', '\t', '\0'}) {
      std::string changed = good;
      changed[i] = byte;
      const LoadedConfig loaded = load_config_text(changed, "f.yaml", false);
      REQUIRE(loaded.config.has_value() == loaded.faults.empty());
    }
  }
}

}  // namespace penstock::config

// The time of a file grows with its size, whatever it holds.

#include <string>

#include "base/words.hpp"
#include "config/broken_config.hpp"
#include "config/endpoint_file.hpp"
#include "config/yaml/document.hpp"
#include "control/upstreams/loops.hpp"
#include "linear.hpp"

namespace penstock::config {

namespace {

std::string filled(const std::string& before, const std::string& piece, std::size_t bytes) {
  std::string text = before;
  while (text.size() + piece.size() <= bytes) text += piece;
  return text;
}

// The numbered pieces of a text of so many bytes.
std::string numbered(std::size_t bytes, const std::function<std::string(std::size_t)>& piece) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) text += piece(i);
  return text;
}

std::string address_of(std::size_t i) {
  return "10." + std::to_string(i >> 16 & 255) + '.' + std::to_string(i >> 8 & 255) + '.' +
         std::to_string(i & 255) + ":1";
}

constexpr std::size_t bytes = 24 * 1024;

double growth_of_config(const std::function<std::string(std::size_t)>& text) {
  return growth([&](std::size_t n) { static_cast<void>(load_config_text(text(n), "f", false)); },
                bytes);
}

}  // namespace

TEST_CASE("what a file of endpoints costs grows with its size, whatever it repeats", "[config]") {
  for (const char* before : {"", "x: ", "- ["}) {
    for (const char* piece :
         {"[",          "{",     "]",          "[]",       "[,",     "[:",     "{a: ",
          "- ",         "? ",    "\"",         "'",        "\\\"",   "&a ",    "*a ",
          "!a ",        ":",     "a: ",        "a,",       "a ",     "#",      "|\n",
          "- |\n a\n",  "- a\n", "- {a: 1}\n", "- &a b\n", "- *a\n", "- ''\n", "---\n",
          "%TAG ! a\n", "<<: ",  "${",         "}",        "\t",     "\n",     "\xc3\xa9"}) {
      CAPTURE(before, piece);
      const double growth_of_file = growth(
          [&](std::size_t n) {
            static_cast<void>(parse_endpoint_file(filled(before, piece, n), "f"));
          },
          bytes);
      CHECK(growth_of_file < linear_growth_max);
    }
  }
}

TEST_CASE("many faults, names and sockets cost what their number says", "[config]") {
  const std::string good_upstream = "upstreams: {web: {endpoints: [10.0.0.1:80]}}\n";
  CHECK(growth_of_config([](std::size_t n) {
          return "listeners:\n" +
                 numbered(n / 2,
                          [](std::size_t i) {
                            return "- {bind: '" + address_of(i) + "', upstream: zz" +
                                   std::to_string(i) + "}\n";
                          }) +
                 "upstreams:\n" + numbered(n / 2, [](std::size_t i) {
                   return " aa" + std::to_string(i) + ": {endpoints: ['1.1.1.1:1']}\n";
                 });
        }) < linear_growth_max);
  CHECK(growth_of_config([&](std::size_t n) {
          return with_upstream(one_listener()) +
                 numbered(n, [](std::size_t i) { return "key" + std::to_string(i) + ": 1\n"; });
        }) < linear_growth_max);
  CHECK(growth_of_config([&](std::size_t n) {
          return "listeners:\n" +
                 numbered(n,
                          [](std::size_t i) {
                            return "- {bind: '" + address_of(i) + "', upstream: web}\n";
                          }) +
                 good_upstream;
        }) < linear_growth_max);
}

TEST_CASE("many endpoints with all that may be said of them cost what their number says",
          "[config]") {
  const auto endpoints = [](std::size_t n) {
    return numbered(n, [](std::size_t i) {
      return "  - {address: '" + address_of(i) + "', weight: 3, name: e" + std::to_string(i) +
             "}\n";
    });
  };
  CHECK(growth_of_config([&](std::size_t n) {
          return one_listener() + "upstreams:\n web:\n  endpoints:\n" + endpoints(n);
        }) < linear_growth_max);
}

TEST_CASE("a file has room for as many endpoints as there may be, with weights and places",
          "[config]") {
  std::string text = one_listener() + "upstreams:\n web:\n  endpoints:\n";
  for (std::size_t i = 0; i < base::endpoints_max; ++i)
    text += "  - {address: '" + address_of(i) + "', weight: 10, max_connections: 99}\n";
  REQUIRE(text.size() <= base::config_bytes_max);
  const auto loaded = load_config_text(text, "f.yaml", false);
  CHECK(lines_of(loaded.faults).empty());
  REQUIRE(loaded.config.has_value());
  CHECK(loaded.config->server.upstreams.front().endpoints.size() == base::endpoints_max);
}

TEST_CASE("suggestions of one file end after so many steps", "[config]") {
  std::vector<std::string> names;
  for (int i = 0; i < 5000; ++i) names.push_back("upstream-" + std::to_string(i));
  base::Suggestions suggestions;
  CHECK(suggestions.nearest("upstraem-1", names) == "; did you mean 'upstream-1'?");
  for (int i = 0; i < 3000; ++i) suggestions.nearest("upstraem-x" + std::to_string(i), names);
  CHECK(suggestions.steps() < base::Suggestions::steps_max + 100 * 100);
  CHECK(suggestions.nearest("upstraem-1", names).empty());
}

TEST_CASE("a file tells so many faults, and that there are more", "[config]") {
  std::string keys;
  for (std::size_t i = 0; i < faults_max + 10; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  const auto loaded = load_config_text(with_part(keys), "f.yaml", false);
  REQUIRE(loaded.faults.size() == faults_max + 1);
  CHECK(loaded.faults.back().sentence == "more than 10000 faults; not all are told");
}

TEST_CASE("all listeners together have a bound for their addresses", "[config]") {
  std::string text = "listeners:\n";
  for (int i = 0; i < 100; ++i)
    text += "- {bind: '10.0.0." + std::to_string(i) + ":1-1024', upstream: web}\n";
  const auto loaded =
      load_config_text(text + "upstreams: {web: {endpoints: [10.9.0.1:80]}}\n", "f.yaml", false);
  CHECK(lines_of(loaded.faults) ==
        std::vector<std::string>{
            "f.yaml:66:3: listeners[64]: more than 65536 addresses in all listeners"});
}

TEST_CASE("looking for loops among found endpoints costs what their number says", "[config]") {
  const auto looked_for = [](std::size_t n) {
    std::vector<runtime::ListenerSpec> listeners(n);
    for (std::size_t i = 0; i < n; ++i)
      listeners[i].addresses.push_back(*os::parse_socket_address(address_of(i)));
    const OwnSockets sockets = control::looping_sockets(listeners);
    std::size_t loops = 0;
    for (std::size_t i = 0; i < n; ++i)
      if (sockets.reached_by(*os::parse_socket_address(address_of(2 * i))) != nullptr) ++loops;
    CHECK(loops == n / 2);
  };
  CHECK(growth(looked_for, 2'000) < linear_growth_max);
}

}  // namespace penstock::config

#include "config/endpoint_file.hpp"

#include <cstdlib>

#include "config/broken_config.hpp"

namespace penstock::config {

namespace {

std::vector<std::string> file_faults_of(const std::string& text) {
  const EndpointFile file = parse_endpoint_file(text, "e.yaml");
  CHECK((file.faults.empty() || file.endpoints.empty()));
  return lines_of(file.faults);
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a file lists endpoints in the forms of the configuration", "[config]") {
  ::setenv("PENSTOCK_TEST_PORT", "8080", 1);
  const EndpointFile file = parse_endpoint_file(
      "- 10.0.0.1:80\n"
      "- {address: 10.0.0.2:80, weight: 3, max_connections: 100, backup: true, name: blue}\n"
      "- {address: \"[::1]:80\", priority: 15}\n"
      "- 10.0.0.3:${PENSTOCK_TEST_PORT}\n"
      "- unix:/run/app.sock\n",
      "e.yaml");
  CHECK(lines_of(file.faults) == Lines{});
  REQUIRE(file.endpoints.size() == 5);
  CHECK(file.endpoints[0].identity == "10.0.0.1:80");
  CHECK(file.endpoints[1].identity == "blue");
  CHECK(file.endpoints[1].address.to_string() == "10.0.0.2:80");
  CHECK(file.endpoints[1].weight == 3);
  CHECK(file.endpoints[1].max_connections == 100);
  CHECK(file.endpoints[1].priority == 1);
  CHECK(file.endpoints[2].priority == 15);
  CHECK(file.endpoints[3].identity == "10.0.0.3:8080");
  CHECK(file.endpoints[4].identity == "unix:/run/app.sock");
}

TEST_CASE("an empty list is good; a file without content is not", "[config]") {
  CHECK(file_faults_of("[]\n") == Lines{});
  for (const char* text : {"", "\n\n", "# soon\n", "---\n"}) {
    INFO(text);
    CHECK(file_faults_of(text) ==
          Lines{"e.yaml:1:1: -: is empty; write [] where there are no endpoints"});
  }
}

TEST_CASE("what is wrong with a file of endpoints is said where it stands", "[config]") {
  CHECK(file_faults_of("- 10.0.0.1:80\n- db:80\n- {address: 10.0.0.2:80, wight: 2}\n") ==
        Lines{"e.yaml:2:3: [1]: 'db' is a host name; a file of endpoints lists addresses",
              "e.yaml:3:26: [2].wight: unknown key; did you mean 'weight'?"});
  CHECK(file_faults_of("- 10.0.0.1:80\n- 10.0.0.1:80\n") ==
        Lines{"e.yaml:2:3: [1]: '10.0.0.1:80' is an endpoint already, at [0]"});
  CHECK(file_faults_of("endpoints: []\n") == Lines{"e.yaml:1:1: -: expected a list, found a map"});
  CHECK(file_faults_of("10.0.0.1:80\n") ==
        Lines{"e.yaml:1:1: -: expected a list, found a single value"});
  CHECK(file_faults_of("- {dns: \"db:80\"}\n") ==
        Lines{"e.yaml:1:3: [0].address: missing",
              "e.yaml:1:4: [0].dns: cannot stand in a file of endpoints, which lists addresses"});
  CHECK(file_faults_of("- 0.0.0.0:80\n") ==
        Lines{"e.yaml:1:3: [0]: '0.0.0.0:80' means every address of this host, not one to connect "
              "to; write 127.0.0.1:80 for it"});
  CHECK(file_faults_of("- [10.0.0.1:80\n").size() == 1);
}

TEST_CASE("a file of endpoints has no more of them than an upstream", "[config]") {
  std::string text;
  for (int i = 0; i < 16'385; ++i) text += "- 10.0.0.1:" + std::to_string(i + 1) + '\n';
  CHECK(file_faults_of(text) == Lines{"e.yaml:1:1: -: more than 16384 endpoints"});
}

}  // namespace penstock::config

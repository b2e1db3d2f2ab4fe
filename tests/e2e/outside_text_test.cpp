// Text from outside that is no plain text: where it is refused, and what is left of it elsewhere.
#include <boost/json/parse.hpp>

#include "catch.hpp"
#include "e2e/echo_process.hpp"
#include "e2e/network.hpp"
#include "e2e/penstock.hpp"

namespace penstock::e2e {

namespace {

Finished check_with(const std::string& listener, const std::string& value) {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("penstock.yaml", yaml_from({.endpoints = {"127.0.0.1:9"}, .listener = listener},
                                              free_address(), free_address()));
  return run_program({penstock_binary(), "check", "-c", file},
                     {.environment = {"PENSTOCK_TEST_TEXT=" + value}});
}

}  // namespace

TEST_CASE("a variable that is no plain text is a fault that does not repeat it", "[cli]") {
  for (const std::string value : {"w\xff", "w\x1b[2J", "w\xc2\x9b", "w\nx"}) {
    const Finished checked = check_with("max_connections: \"${PENSTOCK_TEST_TEXT}\"", value);
    CAPTURE(checked.errors);
    CHECK(checked.exit_code == 2);
    CHECK(checked.errors.find("listeners[0].max_connections: ") != std::string::npos);
    CHECK(checked.errors.find(value.substr(1)) == std::string::npos);
    CHECK(checked.errors.find("expected") == std::string::npos);
  }
}

TEST_CASE("a refusal of the admin is JSON whatever the path was", "[admin]") {
  EchoProcess origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  for (const char* bad : {"%ff", "%00", "%1b%5b2J", "%c2%9b", "%ed%a0%80"}) {
    const auto refused = http(penstock.admin(), "POST",
                              std::string{"/upstreams/app/endpoints/"} + bad + "?state=up");
    CAPTURE(bad, refused.body);
    CHECK(refused.status == 400);
    CHECK(boost::json::parse(refused.body).as_object().contains("error"));
  }
}

}  // namespace penstock::e2e

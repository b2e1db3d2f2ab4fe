// The configuration in effect, as the admin of a running proxy shows it.

#include <boost/json/parse.hpp>
#include <fstream>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

HttpAnswer page_of(const Penstock& penstock, const std::string& target) {
  return http(penstock.admin(), "GET", target);
}

// The hash that /metrics has as a label of the one series of penstock_config_info.
std::string hash_of(const Penstock& penstock) {
  const std::string text = page_of(penstock, "/metrics").body;
  const std::string begin = "\npenstock_config_info{hash=\"";
  const auto start = text.find(begin);
  REQUIRE(start != std::string::npos);
  return text.substr(start + begin.size(),
                     text.find('"', start + begin.size()) - start - begin.size());
}

}  // namespace

TEST_CASE("the page of the configuration starts a proxy that shows the same page", "[admin]") {
  Origin origin;
  const Plan plan{.endpoints = {origin.address() + " blue"},
                  .upstream = "health_check: {type: tcp}, outlier: {}",
                  .runtime = "sandbox: strict, drain: {timeout: 5s}"};
  Penstock penstock{plan};
  const HttpAnswer page = page_of(penstock, "/config");
  CHECK(page.status == 200);
  CHECK(page.head.find("application/yaml") != std::string::npos);
  const std::string hash = hash_of(penstock);
  penstock.stop();

  std::ofstream{penstock.config_file()} << page.body;
  CHECK(run_program({penstock_binary(), "check", "-c", penstock.config_file()}).exit_code == 0);
  penstock.start_again();
  penstock.wait_until_ready();
  CHECK(page_of(penstock, "/config").body == page.body);
  CHECK(hash_of(penstock) == hash);
}

TEST_CASE("the page of the configuration is JSON where that is asked for", "[admin]") {
  Origin origin;
  const Penstock penstock{{.endpoints = {origin.address()}}};
  const HttpAnswer page = page_of(penstock, "/config?format=json");
  CHECK(page.status == 200);
  CHECK(page.head.find("application/json") != std::string::npos);
  const auto json = boost::json::parse(page.body);
  CHECK(json.at("listeners").at(0).at("bind").as_string() == penstock.address());
  CHECK(json.at("upstreams").at("app").at("queue").at("size") == 0);
  CHECK(page_of(penstock, "/config?format=yaml").body == page_of(penstock, "/config").body);
  CHECK(page_of(penstock, "/config?format=xml").status == 400);
}

TEST_CASE("the page of the configuration has no value of the environment", "[admin]") {
  Origin origin;
  Plan plan{.endpoints = {origin.address()},
            .upstream =
                "health_check: {type: send_expect, expect: x, "
                "send: \"AUTH ${PENSTOCK_TEST_SECRET}\\r\\n\"}"};
  plan.program.environment = {"PENSTOCK_TEST_SECRET=s3cr3t-word"};
  Penstock penstock{plan};
  for (const char* target : {"/config", "/config?format=json"}) {
    const HttpAnswer page = page_of(penstock, target);
    CHECK(page.body.find("AUTH ${PENSTOCK_TEST_SECRET}") != std::string::npos);
    CHECK(page.body.find("s3cr3t") == std::string::npos);
  }
  penstock.stop();
  CHECK(penstock.program().errors().find("s3cr3t") == std::string::npos);
}

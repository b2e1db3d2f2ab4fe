// The admin pages of a running proxy.

#include <boost/json/parse.hpp>
#include <csignal>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/talkers.hpp"

using namespace penstock::e2e;

namespace {

// Every reading of /metrics checks the format; here the books are balanced.
void expect_balanced_books(const Penstock& penstock, double accepted) {
  const Metrics metrics = penstock.metrics();
  CHECK(metrics.sum("penstock_connections_accepted_total") == accepted);
  CHECK(metrics.sum("penstock_connections_active") == 0);
  CHECK(metrics.sum("penstock_connections_closed_total") == accepted);
  CHECK(metrics.sum("penstock_connection_duration_seconds_count") == accepted);
  CHECK(metrics.sum("penstock_upstream_connections_active") == 0);
}

}  // namespace

TEST_CASE("at rest, accepted is active and closed together", "[admin]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  expect_balanced_books(penstock, 0);
  converse({.connect_to = penstock.address(),
            .origin = origin.descriptor(),
            .connections = 100,
            .bytes_max = 50'000,
            .seed = run_seed()});
  penstock.wait_for_records(100);
  penstock.wait_until_rest();
  expect_balanced_books(penstock, 100);
}

TEST_CASE("metrics bear the promised names", "[admin]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  const Metrics metrics = penstock.metrics();
  for (const char* name :
       {"connections_accepted_total", "connections_active", "connections_closed_total",
        "connection_duration_seconds_bucket", "bytes_total", "relay_bytes_total",
        "relay_engine_switches_total", "pipes", "pipe_fallbacks_total",
        "upstream_connections_active", "upstream_connect_seconds_count",
        "upstream_connect_failures_total", "upstream_retries_total", "tcp_rtt_seconds_count",
        "tcp_retransmits_total", "truncated_connections_total", "forwarder_busy_ratio",
        "build_info"}) {
    INFO(name);
    CHECK(metrics.has(std::string{"penstock_"} + name));
  }
  for (const char* name : {"process_cpu_seconds_total", "process_open_fds",
                           "process_resident_memory_bytes", "process_virtual_memory_bytes"}) {
    INFO(name);
    CHECK(metrics.has(name));
  }
}

TEST_CASE("byte counters live while a connection does", "[admin]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  const auto bytes = [&](const char* direction) {
    return penstock.metrics().sum("penstock_bytes_total",
                                  {{"listener", "web"}, {"direction", direction}});
  };
  double sent = 0;
  for (int i = 1; i <= 5; ++i) {
    client.send(payload(51, 10'000));
    upstream.read(10'000);
    sent += 10'000;
    wait_until("the counter follows", [&] { return bytes("to_upstream") == sent; });
    CHECK(bytes("to_client") == 0);
  }
  CHECK(penstock.metrics().sum("penstock_connections_active", {{"listener", "web"}}) == 1);
  CHECK(penstock.metrics().sum("penstock_upstream_connections_active") == 1);
  upstream.send(payload(52, 12'345));
  client.read(12'345);
  wait_until("the counter follows", [&] { return bytes("to_client") == 12'345; });
}

TEST_CASE("health and readiness are told apart", "[admin]") {
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .runtime = "drain: {grace: 2s, timeout: 2s}"}};
  CHECK(http(penstock.admin(), "GET", "/healthz").status == 200);
  CHECK(http(penstock.admin(), "GET", "/readyz").status == 200);
  penstock.program().signal(SIGTERM);
  HttpAnswer answer;
  wait_until("it is not ready", [&] {
    answer = http(penstock.admin(), "GET", "/readyz");
    return answer.status == 503;
  });
  CHECK(boost::json::parse(answer.body).at("error").is_string());
  CHECK(http(penstock.admin(), "GET", "/healthz").status == 200);
  penstock.expect_clean_end();
}

TEST_CASE("every refusal is a JSON object with an error", "[admin]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  const auto expect = [&](int status, const HttpAnswer& answer) {
    CHECK(answer.status == status);
    CHECK(answer.head.find("application/json") != std::string::npos);
    CHECK(boost::json::parse(answer.body).at("error").is_string());
  };
  expect(404, http(penstock.admin(), "GET", "/nowhere"));
  expect(405, http(penstock.admin(), "POST", "/metrics"));
  expect(405, http(penstock.admin(), "GET", "/drain"));
  expect(403, http(penstock.admin(), "POST", "/drain", "Origin: http://evil.example\r\n"));
  Peer stranger = Peer::connect(penstock.admin());
  stranger.send("this is not HTTP\r\n\r\n");
  const std::string answer = stranger.read_to_end();
  CHECK(answer.starts_with("HTTP/1.1 400"));
  CHECK(answer.find("{\"error\":") != std::string::npos);
  CHECK(http(penstock.admin(), "GET", "/readyz").status == 200);
}

TEST_CASE("the admin may live on a unix socket and still leaves no file behind", "[admin]") {
  const TemporaryFolder folder;
  const std::string admin = "unix:" + folder.path("admin.sock");
  const std::string file =
      folder.write("p.yaml", yaml_from({.endpoints = {"127.0.0.1:1"}}, free_address(), admin));
  Program penstock{{penstock_binary(), "run", "-c", file}};
  CHECK(run_program({penstock_binary(), "ctl", "--admin", admin, "wait-ready"}).exit_code == 0);
  const auto mode = std::filesystem::status(folder.path("admin.sock")).permissions();
  CHECK(mode == std::filesystem::perms{0600});
  penstock.signal(SIGTERM);
  CHECK(penstock.wait() == 0);
  CHECK_FALSE(std::filesystem::exists(folder.path("admin.sock")));
}

TEST_CASE("listeners and upstreams are shown with their names", "[admin]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address() + " blue"}}};
  const auto listeners = boost::json::parse(http(penstock.admin(), "GET", "/listeners").body);
  CHECK(listeners.at("listeners").at(0).at("name") == "web");
  const auto upstreams = boost::json::parse(http(penstock.admin(), "GET", "/upstreams").body);
  const auto& endpoint = upstreams.at("upstreams").at(0).at("endpoints").at(0);
  CHECK(endpoint.at("identity") == "blue");
  CHECK(endpoint.at("address").as_string() == origin.address());
}

// Health checks against real servers, and what connections make of the verdicts.

#include <csignal>

#include "catch.hpp"
#include "e2e/echo_process.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/postgres.hpp"
#include "e2e/servers.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;

namespace {

std::string check(const std::string& keys) {
  return "health_check: {interval: 50ms, timeout: 400ms, rise: 2, fall: 2, " + keys + "}";
}

std::string why(const Penstock& penstock, const std::string& identity) {
  return text_of(endpoint_of(penstock, identity), "why");
}

bool is_up(const Penstock& penstock, const std::string& identity) {
  return penstock.metrics().sum("penstock_endpoint_up",
                                {{"upstream", "app"}, {"endpoint", identity}}) == 1;
}

double checks(const Penstock& penstock, const std::string& identity, const std::string& result) {
  return penstock.metrics().sum("penstock_health_checks_total",
                                {{"endpoint", identity}, {"result", result}});
}

std::string echoed(const Penstock& penstock) {
  Peer client = penstock.client();
  client.send("hello");
  client.finish_sending();
  return client.read_to_end();
}

// Stopped, a process takes connections by its kernel and answers nobody.
void expect_to_follow_stops(const Penstock& penstock, const std::string& identity,
                            const Program& program) {
  wait_for_state(penstock, identity, "up");
  program.signal(SIGSTOP);
  wait_for_state(penstock, identity, "down");
  CHECK(why(penstock, identity) == "no answer within 400ms");
  CHECK(checks(penstock, identity, "timeout") >= 2);
  CHECK_FALSE(is_up(penstock, identity));
  program.signal(SIGCONT);
  wait_for_state(penstock, identity, "up");
  CHECK(is_up(penstock, identity));
}

// The answer that a check of type http wants.
void pass(Peer check) {
  check.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  check.finish_sending();
  check.receive_all();
}

}  // namespace

TEST_CASE("PostgreSQL is checked by its answer to an SSLRequest", "[health]") {
  if (no_postgres()) return;
  Postgres postgres;
  Penstock penstock{
      {.endpoints = {postgres.address() + " db"},
       .upstream = check(R"(type: send_expect, send: \x00\x00\x00\x08\x04\xd2\x16\x2f, )"
                         "expect: N")}};
  wait_for_state(penstock, "db", "up");
  CHECK(with_database(penstock.address(), {"psql", "-At", "-c", "select 7", "postgres"}).output ==
        "7\n");
  CHECK(checks(penstock, "db", "passed") >= 1);
}

TEST_CASE("redis is up while it answers PING, and down while it is stopped", "[health]") {
  if (skip_without({"redis-server"})) return;
  Redis redis;
  Penstock penstock{{.endpoints = {redis.address() + " redis"},
                     .upstream = check(R"(type: send_expect, send: PING\r\n, expect: +PONG)")}};
  expect_to_follow_stops(penstock, "redis", redis.program());
}

TEST_CASE("nginx is up while its page has a wanted status", "[health]") {
  if (skip_without({"nginx"})) return;
  const TemporaryFolder folder;
  folder.write("www/index.html", "hello");
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  Nginx nginx{folder};
  SECTION("and follows when it stops") {
    Penstock penstock{{.endpoints = {nginx.address() + " web"}, .upstream = check("type: http")}};
    expect_to_follow_stops(penstock, "web", nginx.program());
  }
  SECTION("and down while the page is missing") {
    Penstock penstock{
        {.endpoints = {nginx.address() + " web"}, .upstream = check("type: http, path: /missing")}};
    wait_for_state(penstock, "web", "down");
    CHECK(why(penstock, "web").starts_with("HTTP status 404"));
    CHECK(checks(penstock, "web", "wrong_answer") >= 1);
    folder.write("www/missing", "here it is");
    wait_for_state(penstock, "web", "up");
  }
  SECTION("unless that status is the one that is wanted") {
    Penstock penstock{{.endpoints = {nginx.address() + " web"},
                       .upstream = check("type: http, path: /missing, status: [404]")}};
    wait_for_state(penstock, "web", "up");
  }
}

TEST_CASE("a TLS server passes by its handshake, and plain text does not", "[health]") {
  if (skip_without({"openssl"})) return;
  const TemporaryFolder folder;
  const std::string key = folder.path("key.pem");
  const std::string certificate = folder.path("certificate.pem");
  REQUIRE(run_program({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                       "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
                       "-keyout", key, "-out", certificate})
              .exit_code == 0);
  const std::string address = free_address();
  Program server{{"openssl", "s_server", "-accept", address, "-key", key, "-cert", certificate,
                  "-quiet", "-www"}};
  wait_until_reachable(address);
  EchoProcess plain;
  Penstock penstock{{.endpoints = {address + " tls", plain.address() + " plain"},
                     .upstream = check("type: tls, sni: localhost")}};
  wait_for_state(penstock, "tls", "up");
  wait_for_state(penstock, "plain", "down");
  INFO(why(penstock, "plain"));
  CHECK(why(penstock, "plain").starts_with("TLS:"));
  CHECK(checks(penstock, "plain", "tls_failed") >= 1);
}

TEST_CASE("refused and silent endpoints cost no client an attempt", "[health]") {
  Origin a;
  a.serve(say("A"));
  BlackHole hole;
  Penstock penstock{
      {.endpoints = {free_address() + " refuses", hole.address() + " hole", a.address() + " a"},
       .upstream = check("type: tcp")}};
  wait_for_state(penstock, "refuses", "down");
  wait_for_state(penstock, "hole", "down");
  wait_for_state(penstock, "a", "up");
  CHECK(why(penstock, "refuses") == "connection refused");
  CHECK(why(penstock, "hole") == "no answer within 400ms");
  CHECK(checks(penstock, "refuses", "refused") >= 1);
  CHECK(answers_of(penstock, 6) == "AAAAAA");
  penstock.wait_for_records(6);
  for (const Record& record : penstock.records()) CHECK(number_of(record, "attempts") == 1);
  const Finished shown =
      run_program({penstock_binary(), "ctl", "--admin", penstock.admin(), "upstreams"});
  CHECK(shown.exit_code == 0);
  CHECK(shown.output.find("connection refused") != std::string::npos);
}

TEST_CASE("an endpoint whose packets are dropped goes down and comes back", "[health]") {
  if (skip_unless(can_drop_packets(), "no right to packet filters")) return;
  EchoProcess a;
  Penstock penstock{{.endpoints = {a.address() + " a"}, .upstream = check("type: tcp")}};
  wait_for_state(penstock, "a", "up");
  {
    const Vanished gone{port_of(a.address())};
    wait_for_state(penstock, "a", "down");
  }
  wait_for_state(penstock, "a", "up");
  CHECK(echoed(penstock) == "hello");
}

TEST_CASE("a killed endpoint goes down, and up again when it is back", "[health]") {
  EchoProcess a;
  EchoProcess b;
  Penstock penstock{
      {.endpoints = {a.address() + " a", b.address() + " b"}, .upstream = check("type: tcp")}};
  wait_for_state(penstock, "a", "up");
  wait_for_state(penstock, "b", "up");
  a.kill();
  wait_for_state(penstock, "a", "down");
  CHECK_FALSE(is_up(penstock, "a"));
  CHECK(is_up(penstock, "b"));
  for (int i = 0; i < 4; ++i) CHECK(echoed(penstock) == "hello");
  a.start();
  wait_for_state(penstock, "a", "up");
  wait_for_words(penstock, "endpoint a of upstream app is down: connection refused");
}

TEST_CASE("while an endpoint flaps, every connection is served by the other", "[health]") {
  EchoProcess flapping;
  EchoProcess steady;
  Penstock penstock{{.endpoints = {flapping.address(), steady.address()},
                     .upstream = "health_check: {interval: 10ms, timeout: 5s, rise: 1, fall: 1}"}};
  for (int flap = 0; flap < 10; ++flap) {
    flapping.kill();
    for (int i = 0; i < 20; ++i) REQUIRE(echoed(penstock) == "hello");
    wait_for_state(penstock, flapping.address(), "down");
    flapping.start();
    for (int i = 0; i < 20; ++i) REQUIRE(echoed(penstock) == "hello");
    wait_for_state(penstock, flapping.address(), "up");
  }
  penstock.wait_for_records(400);
  for (const Record& record : penstock.records()) REQUIRE(text_of(record, "reason") == "complete");
}

TEST_CASE("with all endpoints down clients are reset, and with panic_threshold they are tried",
          "[health]") {
  Origin a;
  a.serve(say("A"));
  // Nobody listens where the check looks, and the endpoint works all the same.
  const std::string wrong_port = check("type: tcp, port: " + port_of(free_address()));
  SECTION("fail closed") {
    Penstock penstock{{.endpoints = {a.address() + " a"}, .upstream = wrong_port}};
    wait_for_words(penstock, "(no_endpoint)");
    Peer client = penstock.client();
    CHECK(client.receive_all().ending == Ending::reset);
    const Record record = penstock.record_of(client);
    CHECK(text_of(record, "reason") == "no_endpoint");
    CHECK(number_of(record, "attempts") == 0);
    CHECK(text_of(endpoint_of(penstock, "a"), "state") == "down");
  }
  SECTION("panic") {
    Penstock penstock{
        {.endpoints = {a.address() + " a"}, .upstream = wrong_port + ", panic_threshold: 100%"}};
    wait_for_words(penstock, "(panic_threshold)");
    CHECK(answers_of(penstock, 3) == "AAA");
  }
}

TEST_CASE("unknown endpoints are used only while none is known to be up", "[health]") {
  if (skip_unless(network_is_ours(), "no loopback of our own")) return;
  const std::string port = port_of(free_address());
  const std::string check_port = port_of(free_address());
  Origin a{"127.0.0.2:" + port};
  Origin b{"127.0.0.3:" + port};
  Origin silent{"127.0.0.2:" + check_port};
  Origin checked{"127.0.0.3:" + check_port};
  a.serve(say("A"));
  b.serve(say("B"));
  Penstock penstock{
      {.endpoints = {a.address() + " a", b.address() + " b"},
       .upstream = "health_check: {type: http, timeout: 1h, port: " + check_port + "}",
       .runtime = "forwarders: 1"}};
  CHECK(text_of(endpoint_of(penstock, "a"), "state") == "unknown");
  const std::string both = answers_of(penstock, 4);
  CHECK((both == "ABAB" || both == "BABA"));
  pass(checked.accept());
  wait_for_words(penstock, "endpoint b of upstream app is up");
  CHECK(text_of(endpoint_of(penstock, "a"), "state") == "unknown");
  CHECK(answers_of(penstock, 4) == "BBBB");
}

TEST_CASE("an operator drains an endpoint: live connections stay, new ones go elsewhere",
          "[health]") {
  Origin a;
  Origin b;
  Penstock penstock{{.endpoints = {a.address() + " a"}, .upstream = "on_down: close"}};
  Penstock two{{.endpoints = {a.address() + " a", b.address() + " b"}}};
  Peer client = penstock.client();
  Peer served = a.accept();
  steer(penstock, "a", "drain");
  CHECK(text_of(endpoint_of(penstock, "a"), "state") == "draining");
  client.send("ping");
  CHECK(served.read(4) == "ping");
  served.send("pong");
  CHECK(client.read(4) == "pong");
  Peer refused = penstock.client();
  CHECK(refused.receive_all().ending == Ending::reset);
  CHECK(text_of(penstock.record_of(refused), "reason") == "no_endpoint");
  steer(penstock, "a", "up");
  Peer second = penstock.client();
  Peer second_served = a.accept();

  steer(two, "a", "drain");
  const Finished shown =
      run_program({penstock_binary(), "ctl", "--admin", two.admin(), "upstreams"});
  CHECK(shown.output.find("draining") != std::string::npos);
  CHECK(shown.output.find("drained by an operator") != std::string::npos);
  std::vector<Peer> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(two.client());
    b.accept();
  }
  CHECK_FALSE(a.somebody_waits());
}

TEST_CASE("an operator takes an endpoint down: on_down says what becomes of live connections",
          "[health]") {
  Origin a;
  Origin b;
  const std::string on_down = GENERATE("close", "keep");
  Penstock penstock{{.endpoints = {a.address() + " a", b.address() + " b"},
                     .upstream = "balance: first, on_down: " + on_down}};
  Peer client = penstock.client();
  Peer served = a.accept();
  client.send("ping");
  CHECK(served.read(4) == "ping");
  steer(penstock, a.address(), "down");  // by its address
  CHECK(text_of(endpoint_of(penstock, "a"), "state") == "down");
  CHECK(why(penstock, "a") == "taken down by an operator");
  Peer next = penstock.client();
  Peer next_served = b.accept();
  if (on_down == "close") {
    CHECK(client.receive_all().ending == Ending::reset);
    CHECK(text_of(penstock.record_of(client), "reason") == "endpoint_down");
  } else {
    served.send("pong");
    CHECK(client.read(4) == "pong");
  }
}

TEST_CASE("live connections of an endpoint that checks find down are closed where so configured",
          "[health]") {
  EchoProcess a;
  Penstock penstock{
      {.endpoints = {a.address() + " a"},
       .upstream = check(R"(type: send_expect, send: x, expect: x)") + ", on_down: close"}};
  wait_for_state(penstock, "a", "up");
  Peer client = penstock.client();
  client.send("ping");
  CHECK(client.read(4) == "ping");
  a.signal(SIGSTOP);
  CHECK(client.receive_all().ending == Ending::reset);
  CHECK(text_of(penstock.record_of(client), "reason") == "endpoint_down");
  a.signal(SIGCONT);
  wait_for_state(penstock, "a", "up");
}

TEST_CASE("ctl endpoint of somebody unknown fails and says so", "[health]") {
  Origin a;
  Penstock penstock{{.endpoints = {a.address() + " a"}}};
  for (const auto& [upstream, endpoint] : {std::pair{"app", "nobody"}, std::pair{"nowhere", "a"}}) {
    const Finished said = run_program({penstock_binary(), "ctl", "--admin", penstock.admin(),
                                       "endpoint", upstream, endpoint, "down"});
    CHECK(said.exit_code == 1);
    CHECK(said.errors.find("there is no endpoint") != std::string::npos);
  }
  const Finished wrong = run_program(
      {penstock_binary(), "ctl", "--admin", penstock.admin(), "endpoint", "app", "a", "sideways"});
  CHECK(wrong.exit_code == 2);
}

TEST_CASE("ctl endpoint takes every form of an address", "[health]") {
  const TemporaryFolder folder;
  Origin v6{free_v6_address()};
  Origin socket{"unix:" + folder.path("a b%2F.sock")};
  Penstock penstock{{.endpoints = {"{address: \"" + v6.address() + "\"}",
                                   "{address: \"" + socket.address() + "\"}"}}};
  for (const Origin* origin : {&v6, &socket}) {
    INFO(origin->address());
    steer(penstock, origin->address(), "drain");
    CHECK(text_of(endpoint_of(penstock, origin->address()), "state") == "draining");
    steer(penstock, origin->address(), "up");
    CHECK(text_of(endpoint_of(penstock, origin->address()), "state") == "up");
  }
}

TEST_CASE("an attempt at an endpoint that is taken down goes on to the next endpoint at once",
          "[health]") {
  BlackHole hole;
  Origin a;
  Penstock penstock{{.endpoints = {hole.address() + " hole", a.address() + " a"},
                     .upstream = "balance: first, connect: {timeout: 1h}, on_down: close"}};
  Peer client = penstock.client();
  client.send("ping");
  penstock.wait_for_metric("penstock_upstream_connections_active", {{"endpoint", "hole"}}, 1);
  steer(penstock, "hole", "down");
  Peer served = a.accept();
  CHECK(served.read(4) == "ping");
  CHECK(penstock.metrics().sum("penstock_upstream_connections_active", {{"endpoint", "hole"}}) ==
        0);
}

TEST_CASE("why an endpoint is down is what the last check found, not the first", "[health]") {
  const std::string address = free_address();
  Penstock penstock{{.endpoints = {address + " a"}, .upstream = check("type: http")}};
  wait_for_state(penstock, "a", "down");
  CHECK(why(penstock, "a") == "connection refused");
  const auto since = endpoint_of(penstock, "a").at("since");
  Origin silent{address};
  wait_until("the check says otherwise",
             [&] { return why(penstock, "a") == "no answer within 400ms"; });
  CHECK(endpoint_of(penstock, "a").at("since") == since);
}

// Endpoints that come by DNS, from a real name server.

#include <algorithm>
#include <boost/json/parse.hpp>
#include <csignal>

#include "catch.hpp"
#include "e2e/name_server.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/resolving.hpp"
#include "e2e/servers.hpp"
#include "e2e/talk.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;

TEST_CASE("every A and AAAA record of a name is an endpoint", "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin a{"127.0.0.2:" + port};
  Origin b{"[::1]:" + port};
  a.serve(say("A"));
  b.serve(say("B"));
  NameServer server{"127.0.0.2 app.test\n::1 app.test\n"};
  Resolving proxy{dns("app.test", port)};
  wait_for_endpoints(proxy.penstock(), {"127.0.0.2:" + port, "[::1]:" + port});
  const std::string answers = answers_of(proxy.penstock(), 4);
  CHECK((answers == "ABAB" || answers == "BABA"));
  CHECK(proxy.resolutions("ok") >= 1);
}

TEST_CASE("SRV records tell ports, weights and backups", "[discovery]") {
  if (no_name_server()) return;
  Origin a;
  Origin b;
  Origin spare;
  a.serve(say("A"));
  b.serve(say("B"));
  spare.serve(say("S"));
  const auto record = [](const Origin& origin, const char* priority, const char* weight) {
    return std::string{"--srv-host=_db._tcp.test,host.test,"} + port_of(origin.address()) + "," +
           priority + "," + weight;
  };
  NameServer server{"127.0.0.1 host.test\n",
                    {record(a, "10", "3"), record(b, "10", "1"), record(spare, "20", "1")}};
  Resolving proxy{"{dns: _db._tcp.test, type: srv}"};
  Penstock& penstock = proxy.penstock();
  wait_for_endpoints(penstock, {a.address(), b.address(), spare.address()});
  CHECK(number_of(endpoint_of(penstock, a.address()), "weight") == 3);
  CHECK(number_of(endpoint_of(penstock, spare.address()), "priority") == 1);
  const std::string answers = answers_of(penstock, 8);
  CHECK(std::count(answers.begin(), answers.end(), 'A') == 6);
  CHECK(std::count(answers.begin(), answers.end(), 'B') == 2);
  steer(penstock, a.address(), "down");
  steer(penstock, b.address(), "down");
  CHECK(answers_of(penstock, 2) == "SS");
}

TEST_CASE("a name that does not exist yet is no obstacle to a start, and is asked for again",
          "[discovery]") {
  if (no_name_server()) return;
  Origin a;
  a.serve(say("A"));
  NameServer server{""};
  Resolving proxy{dns("app.test", port_of(a.address()))};
  Peer early = proxy.penstock().client();
  CHECK(early.receive_all().ending == Ending::reset);
  CHECK(text_of(proxy.penstock().record_of(early), "reason") == "no_endpoint");
  wait_for_words(proxy.penstock(), "there is no such name");
  CHECK(proxy.resolutions("nxdomain") >= 1);
  server.change_to("127.0.0.1 app.test\n");
  wait_for_endpoints(proxy.penstock(), {a.address()});
  CHECK(answer_of(proxy.penstock()) == "A");
  wait_for_words(proxy.penstock(), "is resolved again");
}

TEST_CASE("a name server that fails is asked again", "[discovery]") {
  if (no_name_server()) return;
  Origin a;
  a.serve(say("A"));
  auto failing = std::make_unique<FailingNameServer>();
  Resolving proxy{dns("app.test", port_of(a.address()))};
  proxy.wait_for_resolution("servfail");
  wait_for_words(proxy.penstock(), "SERVFAIL");
  failing.reset();
  NameServer server{"127.0.0.1 app.test\n"};
  wait_for_endpoints(proxy.penstock(), {a.address()});
  CHECK(answer_of(proxy.penstock()) == "A");
}

TEST_CASE("a name server that is silent does not hold up a start", "[discovery]") {
  if (no_name_server()) return;
  Origin a;
  a.serve(say("A"));
  NameServer server{"127.0.0.1 app.test\n"};
  server.signal(SIGSTOP);
  Resolving proxy{dns("app.test", port_of(a.address()))};  // ready, although nobody answered
  CHECK(identities_of(proxy.penstock()).empty());
  wait_for_words(proxy.penstock(), "it has not answered yet");
  server.signal(SIGCONT);
  wait_for_endpoints(proxy.penstock(), {a.address()});
  CHECK(answer_of(proxy.penstock()) == "A");
}

TEST_CASE("while a start waits for the name server the admin answers, and a drain ends it",
          "[discovery]") {
  if (no_name_server()) return;
  const bool by_signal = GENERATE(true, false);
  NameServer server{""};
  server.signal(SIGSTOP);
  const TemporaryFolder folder;
  const std::string admin = free_address();
  const std::string file = folder.write(
      "p.yaml", yaml_from({.endpoints = {dns("app.test", "80")}}, free_address(), admin));
  Program penstock{{penstock_binary(), "run", "-c", file},
                   {.resolv_conf = folder.write("resolv.conf", "nameserver 127.0.0.1\n")}};
  wait_until_reachable(admin);
  CHECK(http(admin, "GET", "/healthz").status == 200);
  CHECK(http(admin, "GET", "/readyz").status == 503);
  if (by_signal)
    penstock.signal(SIGTERM);
  else
    CHECK(http(admin, "POST", "/drain").status == 202);
  CHECK(penstock.wait() == 0);
  CHECK(complaint_in(penstock.errors()) == "");
}

TEST_CASE("a thousand records of one name are a thousand endpoints", "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  std::string hosts;
  std::vector<std::string> identities;
  for (int i = 0; i < 1000; ++i) {
    const std::string ip = "127.1." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250);
    hosts += ip + " app.test\n";
    identities.push_back(ip + ":" + port);
  }
  Origin everyone{"0.0.0.0:" + port};
  everyone.serve(say("x"));
  NameServer server{hosts};  // its answer by UDP is cut
  Resolving proxy{dns("app.test", port)};
  wait_for_endpoints(proxy.penstock(), identities);
  CHECK(answers_of(proxy.penstock(), 20) == std::string(20, 'x'));
}

TEST_CASE("what stays in a changed answer keeps its connections, and on_remove holds for the rest",
          "[discovery]") {
  if (no_name_server()) return;
  const std::string on_remove = GENERATE("close", "keep", "drain");
  INFO("on_remove: " << on_remove);
  const std::string port = port_of(free_address());
  Origin a{"127.0.0.2:" + port};
  Origin b{"127.0.0.3:" + port};
  NameServer server{"127.0.0.2 app.test\n127.0.0.3 app.test\n"};
  Resolving proxy{dns("app.test", port, "forget_after: 0s"), "on_remove: " + on_remove};
  Penstock& penstock = proxy.penstock();
  wait_for_endpoints(penstock, {a.address(), b.address()});
  std::vector<Talk> both = talk_to_both(penstock, a, b);
  const auto since = endpoint_of(penstock, a.address()).at("since");
  server.change_to("127.0.0.2 app.test\n");
  wait_for_endpoints(penstock, {a.address()});
  both[0].goes_on();
  CHECK(endpoint_of(penstock, a.address()).at("since") == since);
  CHECK(number_of(endpoint_of(penstock, a.address()), "active") == 1);
  if (on_remove == "close") {
    CHECK(both[1].client.receive_all().ending == Ending::reset);
    CHECK(text_of(penstock.record_of(both[1].client), "reason") == "endpoint_removed");
  } else if (on_remove == "keep") {
    both[1].goes_on();
  } else {
    // Idle, it is ended by FIN, like at a drain of the whole proxy.
    CHECK(both[1].client.read_to_end().empty());
    CHECK(both[1].served.read_to_end().empty());
    both[1].served.finish_sending();
    both[1].client.finish_sending();
    CHECK(text_of(penstock.record_of(both[1].client), "reason") == "endpoint_removed");
  }
  Peer next = penstock.client();
  a.accept();
  CHECK_FALSE(b.somebody_waits());
}

TEST_CASE("the last good answer stays in use while the name server is dead", "[discovery]") {
  if (no_name_server()) return;
  Origin a;
  a.serve(say("A"));
  NameServer server{"127.0.0.1 app.test\n"};
  Resolving proxy{dns("app.test", port_of(a.address()))};
  wait_for_endpoints(proxy.penstock(), {a.address()});
  server.kill();
  proxy.wait_for_resolution("unreachable");
  wait_for_words(proxy.penstock(), "endpoints of the last answer stay in use");
  CHECK(answer_of(proxy.penstock()) == "A");
  server.start();
  wait_for_words(proxy.penstock(), "is resolved again");
  CHECK(identities_of(proxy.penstock()) == std::vector<std::string>{a.address()});
}

TEST_CASE("an answer in another order, asked for again and again, changes nothing", "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  std::string hosts;
  for (int i = 2; i <= 9; ++i) hosts += "127.0.0." + std::to_string(i) + " app.test\n";
  NameServer server{hosts};  // it rotates its answers
  Resolving proxy{dns("app.test", port)};
  const std::vector<std::string> seen = identities_of(proxy.penstock());
  CHECK(seen.size() == 8);
  proxy.wait_for_resolution("ok", 3);
  CHECK(identities_of(proxy.penstock()) == seen);
  const std::string said = proxy.penstock().program().errors();
  const auto first = said.find("endpoints now");
  REQUIRE(first != std::string::npos);
  CHECK(said.find("endpoints now", first + 1) == std::string::npos);
}

TEST_CASE("a stated endpoint that a name gives as well keeps its own attributes", "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  NameServer server{"127.0.0.2 app.test\n127.0.0.3 app.test\n"};
  Resolving proxy{"{address: \"127.0.0.2:" + port + "\", name: blue, weight: 7}, " +
                  dns("app.test", port)};
  wait_for_endpoints(proxy.penstock(), {"blue", "127.0.0.3:" + port});
  CHECK(number_of(endpoint_of(proxy.penstock(), "blue"), "weight") == 7);
}

TEST_CASE("an endpoint that stays keeps what checks found, and a new one is checked",
          "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin a{"127.0.0.2:" + port};
  a.serve(say("A"));
  NameServer server{"127.0.0.2 app.test\n"};
  Resolving proxy{dns("app.test", port), "health_check: {interval: 50ms, timeout: 5s}"};
  Penstock& penstock = proxy.penstock();
  wait_for_state(penstock, a.address(), "up");
  const auto since = endpoint_of(penstock, a.address()).at("since");
  server.change_to("127.0.0.2 app.test\n127.0.0.3 app.test\n");
  wait_for_endpoints(penstock, {a.address(), "127.0.0.3:" + port});
  wait_for_state(penstock, "127.0.0.3:" + port, "down");
  CHECK(endpoint_of(penstock, a.address()).at("since") == since);
  CHECK(answers_of(penstock, 4) == "AAAA");
}

TEST_CASE("the series of a removed endpoint stay until its last connection has ended",
          "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin a{"127.0.0.2:" + port};
  Origin b{"127.0.0.3:" + port};
  NameServer server{"127.0.0.2 app.test\n127.0.0.3 app.test\n"};
  Resolving proxy{dns("app.test", port, "forget_after: 0s"), "on_remove: keep"};
  Penstock& penstock = proxy.penstock();
  wait_for_endpoints(penstock, {a.address(), b.address()});
  std::vector<Talk> both = talk_to_both(penstock, a, b);
  server.change_to("127.0.0.2 app.test\n");
  wait_for_endpoints(penstock, {a.address()});
  const auto has_series = [&] {
    const auto samples = penstock.metrics().samples();
    return std::any_of(samples.begin(), samples.end(), [&](const Sample& sample) {
      const auto label = sample.labels.find("endpoint");
      return label != sample.labels.end() && label->second == b.address();
    });
  };
  CHECK(has_series());
  CHECK(penstock.metrics().sum("penstock_upstream_connections_active",
                               {{"endpoint", b.address()}}) == 1);
  both[1].goes_on();
  both[1].client.reset();
  wait_until("the series are gone", [&] { return !has_series(); });
  both[0].goes_on();
}

TEST_CASE("a connection of a removed endpoint that does not rest is reset when the drain is over",
          "[discovery]") {
  if (no_name_server()) return;
  const std::string port = port_of(free_address());
  Origin a{"127.0.0.2:" + port};
  Origin b{"127.0.0.3:" + port};
  NameServer server{"127.0.0.2 app.test\n127.0.0.3 app.test\n"};
  Resolving proxy{dns("app.test", port, "forget_after: 0s")};
  Penstock& penstock = proxy.penstock();
  wait_for_endpoints(penstock, {a.address(), b.address()});
  std::vector<Talk> both = talk_to_both(penstock, a, b);
  server.change_to("127.0.0.2 app.test\n");
  wait_for_endpoints(penstock, {a.address()});
  // It talks for as long as it is let.
  wait_until("the connection is reset", [&] {
    if (both[1].client.ending() == Ending::reset) return true;
    try {
      both[1].client.send("ping");
      both[1].served.send("pong");
      both[1].served.read(4);
      both[1].client.read(4);
    } catch (const Failure&) {
    }
    return false;
  });
  CHECK(text_of(penstock.record_of(both[1].client), "reason") == "endpoint_removed");
  both[0].goes_on();
}

TEST_CASE("a name of /etc/hosts needs no name server", "[discovery]") {
  if (no_name_server()) return;
  Origin a;
  a.serve(say("A"));
  Resolving proxy{dns("localhost", port_of(a.address()))};
  const std::vector<std::string> seen = identities_of(proxy.penstock());
  CHECK(std::count(seen.begin(), seen.end(), a.address()) == 1);
  CHECK(answers_of(proxy.penstock(), 2) == "AA");
}

TEST_CASE("another name server in resolv.conf is asked without a restart", "[discovery]") {
  if (no_name_server()) return;
  Origin a;
  const TemporaryFolder folder;
  const std::string file = folder.write("resolv.conf", "nameserver 127.0.0.9\n");
  NameServer server{"127.0.0.1 app.test\n"};
  Penstock penstock{
      {.endpoints = {dns("app.test", port_of(a.address()))}, .program = {.resolv_conf = file}}};
  wait_for_words(penstock, "no name server listens");
  folder.write("resolv.conf", "nameserver 127.0.0.1\n");
  wait_for_endpoints(penstock, {a.address()});
}

TEST_CASE("a dead name server beside one that works costs nothing but time", "[discovery]") {
  if (no_name_server()) return;
  Origin a;
  const TemporaryFolder folder;
  const std::string file =
      folder.write("resolv.conf", "nameserver 127.0.0.9\nnameserver 127.0.0.1\n");
  NameServer server{"127.0.0.1 app.test\n"};
  Penstock penstock{
      {.endpoints = {dns("app.test", port_of(a.address()))}, .program = {.resolv_conf = file}}};
  CHECK(identities_of(penstock) == std::vector<std::string>{a.address()});
}

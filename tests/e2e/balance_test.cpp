// Who gets a connection: turns, hashes, priorities, ejections, and what explain says of it.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/json/parse.hpp>
#include <map>
#include <set>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;

namespace {

std::string remote_ip(const Peer& peer) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getpeername(peer.descriptor(), reinterpret_cast<sockaddr*>(&address), &length);
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
  return text.data();
}

std::string answer_to(const Penstock& penstock, const std::string& source) {
  Peer client = penstock.client({.source = source + ":0"});
  client.finish_sending();
  return client.read_to_end();
}

std::vector<std::string> sources() {
  std::vector<std::string> all;
  for (int i = 1; i <= 40; ++i) all.push_back("127.0.0." + std::to_string(i));
  return all;
}

Finished explain(std::vector<std::string> words) {
  words.insert(words.begin(), {penstock_binary(), "explain", "--listener", "web"});
  return run_program(words);
}

// Behind the handshake: a reset during it is a failed attempt, after which another one is made.
void reset_when_asked(Peer peer) {
  peer.read(1);
  peer.reset();
}

// What so many clients hear that ask; nothing where they are reset.
std::string letters_of(const Penstock& penstock, int clients) {
  std::string letters;
  for (int i = 0; i < clients; ++i) {
    Peer client = penstock.client();
    client.send("?");
    letters += client.receive_all().bytes;
  }
  return letters;
}

}  // namespace

TEST_CASE("two endpoints take turns, whichever forwarder a connection has", "[balance]") {
  Origin a;
  Origin b;
  a.serve(say("A"));
  b.serve(say("B"));
  Penstock penstock{{.endpoints = {a.address(), b.address()}, .runtime = "forwarders: 2"}};
  const std::string order = answers_of(penstock, 10);
  CHECK((order == "ABABABABAB" || order == "BABABABABA"));
}

TEST_CASE("two proxies with maglev send a client to the same endpoint", "[balance]") {
  Origin a;
  Origin b;
  Origin c;
  a.serve(say("A"));
  b.serve(say("B"));
  c.serve(say("C"));
  const std::string balance = GENERATE("maglev", "source_hash");
  const std::vector<std::string> order{a.address() + " a", b.address() + " b", c.address() + " c"};
  Penstock one{{.endpoints = order, .upstream = "balance: " + balance}};
  Penstock other{{.endpoints = {order[2], order[0], order[1]}, .upstream = "balance: " + balance}};
  std::map<std::string, std::string> seen;
  std::set<std::string> all;
  for (const std::string& source : sources()) {
    seen[source] = answer_to(one, source);
    all.insert(seen[source]);
    INFO(source);
    CHECK(answer_to(other, source) == seen[source]);
    CHECK(answer_to(one, source) == seen[source]);
  }
  CHECK(all == std::set<std::string>{"A", "B", "C"});
  // Whom explain names gets it; and without B only B's clients move.
  steer(one, "b", "down");
  for (const std::string& source : sources()) {
    const std::string now = answer_to(one, source);
    INFO(source);
    CHECK(now != "B");
    if (seen[source] != "B") CHECK(now == seen[source]);
  }
}

TEST_CASE("explain names the endpoint that a client then meets", "[balance]") {
  Origin a;
  Origin b;
  a.serve(say("a"));
  b.serve(say("b"));
  Penstock penstock{
      {.endpoints = {a.address() + " a", b.address() + " b"}, .upstream = "balance: maglev"}};
  for (const char* source : {"127.0.0.9", "127.0.0.10", "127.0.0.11", "127.0.0.12"}) {
    const Finished running = explain({"--admin", penstock.admin(), "--source", source, "--json"});
    INFO(running.errors);
    REQUIRE(running.exit_code == 0);
    const auto told = boost::json::parse(running.output);
    CHECK(told.at("upstream") == "app");
    CHECK(told.at("next").as_string() == answer_to(penstock, source));
    const auto from_file = boost::json::parse(
        explain({"-c", penstock.config_file(), "--source", source, "--json"}).output);
    CHECK(from_file.at("next") == told.at("next"));
  }
}

TEST_CASE("explain tells shares, and why others are excluded", "[balance]") {
  const std::string address = free_address();
  Penstock penstock{
      {.endpoints = {"{address: \"" + address + "\", name: heavy, weight: 3}",
                     free_address() + " light",
                     "{address: \"" + free_address() + "\", name: spare, backup: true}",
                     "{address: \"" + free_address() + "\", name: idle, weight: 0}"}}};
  const auto share = [](const boost::json::value& told, std::size_t index) {
    return told.at("endpoints").at(index).at("share").to_number<double>();
  };
  const auto fresh = boost::json::parse(explain({"-c", penstock.config_file(), "--json"}).output);
  CHECK(share(fresh, 0) == Approx(0.75));
  CHECK(share(fresh, 1) == Approx(0.25));
  CHECK(share(fresh, 2) == 0);
  CHECK(share(fresh, 3) == 0);
  const Finished text = explain({"-c", penstock.config_file()});
  CHECK(text.output.find("75.0%") != std::string::npos);
  CHECK(text.output.find("priority 1") != std::string::npos);
  CHECK(text.output.find("weight 0") != std::string::npos);
  // The file knows nothing of what an operator said to the running proxy.
  steer(penstock, "heavy", "drain");
  const Finished running = explain({"--admin", penstock.admin()});
  CHECK(running.output.find("drained by an operator") != std::string::npos);
  CHECK(running.output.find("100.0%") != std::string::npos);
  CHECK(explain({"-c", penstock.config_file()}).output == text.output);
  const Finished nowhere = run_program(
      {penstock_binary(), "explain", "-c", penstock.config_file(), "--listener", "wep"});
  CHECK(nowhere.exit_code == 2);
  CHECK(nowhere.errors.find("web") != std::string::npos);
}

TEST_CASE("source_address is what the endpoint sees", "[balance]") {
  Origin a;
  Penstock penstock{{.endpoints = {a.address()}, .upstream = "source_address: 127.0.0.77"}};
  Peer client = penstock.client();
  CHECK(remote_ip(a.accept()) == "127.0.0.77");
}

TEST_CASE("a backup is used only while no primary takes connections", "[balance]") {
  Origin a;
  Origin b;
  a.serve(say("A"));
  b.serve(say("B"));
  Penstock penstock{{.endpoints = {a.address() + " a",
                                   "{address: \"" + b.address() + "\", name: b, backup: true}"}}};
  CHECK(answers_of(penstock, 4) == "AAAA");
  steer(penstock, "a", "down");
  CHECK(answers_of(penstock, 4) == "BBBB");
  steer(penstock, "a", "up");
  CHECK(answers_of(penstock, 4) == "AAAA");
}

TEST_CASE("a backup serves those whom a primary refuses", "[balance]") {
  Origin b;
  b.serve(say("B"));
  Penstock penstock{
      {.endpoints = {free_address(), "{address: \"" + b.address() + "\", name: b, backup: true}"},
       .upstream = "connect: {attempts: 2}"}};
  CHECK(answers_of(penstock, 6) == "BBBBBB");
}

TEST_CASE("an upstream of backups alone works", "[balance]") {
  Origin a;
  a.serve(say("A"));
  Penstock penstock{{.endpoints = {"{address: \"" + a.address() + "\", backup: true}"}}};
  CHECK(answers_of(penstock, 3) == "AAA");
}

TEST_CASE("weight 0 beside others gets nothing, not even retries", "[balance]") {
  Origin idle;
  Penstock penstock{
      {.endpoints = {"{address: \"" + idle.address() + "\", weight: 0}", free_address()},
       .upstream = "connect: {attempts: 3, timeout: 1s}"}};
  Peer client = penstock.client();
  CHECK(client.receive_all().ending == Ending::reset);
  CHECK(text_of(penstock.record_of(client), "reason") == "connect_failed");
  CHECK_FALSE(idle.somebody_waits());
}

TEST_CASE("an endpoint that resets before its first byte is ejected, and returns by itself",
          "[balance]") {
  const std::string ejection = GENERATE("1h", "300ms");
  Origin crashes;
  Origin b;
  crashes.serve(reset_when_asked);
  b.serve(greet("B"));
  Penstock penstock{{.endpoints = {crashes.address() + " crashes", b.address() + " b"},
                     .upstream = "outlier: {consecutive_failures: 3, ejection: " + ejection + "}",
                     .runtime = "forwarders: 2"}};
  CHECK(letters_of(penstock, 6) == "BBB");
  penstock.wait_for_metric("penstock_endpoint_ejections_total", {{"endpoint", "crashes"}}, 1);
  if (ejection == "1h") {
    wait_for_state(penstock, "crashes", "ejected");
    CHECK(text_of(endpoint_of(penstock, "crashes"), "why") == "3 failures in a row");
    wait_until("the metric follows", [&] {
      return penstock.metrics().sum("penstock_endpoint_up", {{"endpoint", "crashes"}}) == 0;
    });
    CHECK(letters_of(penstock, 10) == "BBBBBBBBBB");
    CHECK(penstock.metrics().sum("penstock_endpoint_ejections_total") == 1);
  } else {
    wait_for_state(penstock, "crashes", "up");
    // Its share is small at first, and one more failure is enough.
    wait_until("it is ejected again", [&] {
      letters_of(penstock, 6);
      return penstock.metrics().sum("penstock_endpoint_ejections_total") >= 2;
    });
  }
}

TEST_CASE("an endpoint that refuses is ejected, and costs no client a failure", "[balance]") {
  Origin b;
  b.serve(greet("B"));
  Penstock penstock{{.endpoints = {free_address() + " refuses", b.address() + " b"},
                     .upstream = "outlier: {consecutive_failures: 2, ejection: 1h}"}};
  CHECK(letters_of(penstock, 10) == "BBBBBBBBBB");
  wait_for_state(penstock, "refuses", "ejected");
  CHECK(penstock.metrics().sum("penstock_upstream_connect_failures_total",
                               {{"endpoint", "refuses"}, {"reason", "refused"}}) == 2);
}

TEST_CASE("a lone endpoint is never ejected", "[balance]") {
  Origin crashes;
  crashes.serve(reset_when_asked);
  Penstock penstock{{.endpoints = {crashes.address() + " a"},
                     .upstream = "outlier: {consecutive_failures: 1, ejection: 1h}"}};
  CHECK(letters_of(penstock, 10).empty());
  wait_until("it has had all of them", [&] { return crashes.served() == 10; });
  CHECK(text_of(endpoint_of(penstock, "a"), "state") == "up");
  CHECK(penstock.metrics().sum("penstock_endpoint_ejections_total") == 0);
}

TEST_CASE("an ejection begins and ends although no connection does", "[balance]") {
  Origin b;
  Penstock penstock{{.endpoints = {free_address() + " refuses", b.address() + " b"},
                     .upstream = "outlier: {consecutive_failures: 1, ejection: 300ms}",
                     .runtime = "forwarders: 1"}};
  Peer first = penstock.client();  // one of the two meets who refuses
  Peer second = penstock.client();
  Peer first_served = b.accept();
  Peer second_served = b.accept();
  wait_for_words(penstock, "endpoint refuses of upstream app is ejected");
  wait_for_words(penstock, "endpoint refuses of upstream app is up");
  CHECK(penstock.records().empty());
}

TEST_CASE("checks that fail while an endpoint is ejected close its connections where so configured",
          "[balance]") {
  if (skip_unless(can_drop_packets(), "no right to packet filters")) return;
  Origin a;
  Origin b;
  b.serve(greet("B"));
  const std::string check_port = port_of(free_address());
  Origin check{"127.0.0.1:" + check_port};  // of both: checks are told from connections by it
  Penstock penstock{{.endpoints = {a.address() + " a", b.address() + " b"},
                     .upstream = "balance: first, on_down: close, "
                                 "outlier: {consecutive_failures: 1, ejection: 1h}, "
                                 "health_check: {type: tcp, interval: 50ms, fall: 2, port: " +
                                 check_port + "}"}};
  wait_for_state(penstock, "a", "up");
  Peer client = penstock.client();
  Peer served = a.accept();
  client.send("ping");
  CHECK(served.read(4) == "ping");
  const PacketRule full{"INPUT -p tcp --dport " + port_of(a.address()) +
                        " --syn -j REJECT --reject-with tcp-reset"};
  CHECK(letters_of(penstock, 1) == "B");
  wait_for_state(penstock, "a", "ejected");
  served.send("pong");
  CHECK(client.read(4) == "pong");
  const PacketRule gone{"INPUT -p tcp --dport " + check_port +
                        " --syn -j REJECT --reject-with tcp-reset"};
  CHECK(client.receive_all().ending == Ending::reset);
  CHECK(text_of(penstock.record_of(client), "reason") == "endpoint_down");
}

// What fails at once: this host cannot go to an endpoint, or the queue of a unix socket is full.

#include <memory>
#include <sstream>

#include "catch.hpp"
#include "e2e/name_server.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;

namespace {

// In our own network there is no way to addresses for documentation.
bool no_own_network() {
  if (network_is_ours()) return false;
  WARN("skipped: which ways there are is known only in a network of our own");
  return true;
}

void change_route(const std::string& words) {
  std::vector<std::string> command{"ip", "-6"};
  std::istringstream stream{words};
  for (std::string word; stream >> word;) command.push_back(word);
  REQUIRE(run_program(std::move(command)).exit_code == 0);
}

double failures(const Penstock& penstock, const std::string& reason) {
  return penstock.metrics().sum("penstock_upstream_connect_failures_total", {{"reason", reason}});
}

// A unix socket of an application that is busy: its queue is full until it accepts.
class BusyApplication {
 public:
  explicit BusyApplication(const std::string& address) : origin_{address, {.backlog = 0}} {
    filler_ = std::make_unique<Peer>(Peer::connect(address));
  }
  Origin& is_free() {
    filler_.reset();
    origin_.accept();
    return origin_;
  }

 private:
  Origin origin_;
  std::unique_ptr<Peer> filler_;
};

}  // namespace

TEST_CASE("where this host has no way to half of the endpoints, every client is served",
          "[connect]") {
  if (no_own_network()) return;
  const std::string balance = GENERATE("round_robin", "least_connections", "random_two", "maglev");
  CAPTURE(balance);
  Origin a;
  Origin b;
  a.serve(say("A"));
  b.serve(say("B"));
  Penstock penstock{
      {.endpoints = {a.address(), b.address(), "[2001:db8::2]:80 far2", "[2001:db8::3]:80 far3",
                     "[2001:db8::4]:80 far4", "[2001:db8::5]:80 far5"},
       .upstream =
           "outlier: {consecutive_failures: 1}, hash_key: source_port, balance: " + balance}};
  for (int i = 0; i < 40; ++i) REQUIRE(answer_of(penstock).size() == 1);
  penstock.wait_for_records(40);
  for (const Record& record : penstock.records()) {
    CHECK(text_of(record, "reason") == "complete");
    CHECK(number_of(record, "attempts") == 1);
  }
  // Each was asked, and that is remembered.
  CHECK(failures(penstock, "no_route") > 0);
  CHECK(failures(penstock, "no_route") < 40);
  CHECK(penstock.metrics().sum("penstock_upstream_retries_total") == 0);
  CHECK(penstock.metrics().sum("penstock_endpoint_ejections_total") == 0);
}

TEST_CASE("an endpoint that this host cannot go to says so, and serves when there is a way",
          "[connect]") {
  if (no_own_network()) return;
  Origin near;
  near.serve(say("N"));
  const std::string far = "[2001:db8::2]:" + port_of(free_address());
  Penstock penstock{
      {.endpoints = {near.address() + " near", far + " far"}, .runtime = "forwarders: 1"}};
  REQUIRE(answers_of(penstock, 4) == "NNNN");
  wait_for_words(penstock,
                 "endpoint far of upstream app cannot be reached from here: this host has "
                 "no route to it");
  const Record endpoint = endpoint_of(penstock, "far");
  CHECK(text_of(endpoint, "state") == "up");
  CHECK(text_of(endpoint, "takes") == "cut_off");
  CHECK(text_of(endpoint, "why").starts_with("this host has no route to it"));
  const Finished explained =
      run_program({penstock_binary(), "explain", "--admin", penstock.admin(), "--listener", "web"});
  CHECK(explained.output.find("this host has no route to it") != std::string::npos);
  change_route("address add 2001:db8::2/128 dev lo nodad");
  Origin origin{far};
  origin.serve(say("F"));
  wait_until("it serves", [&] { return answer_of(penstock) == "F"; });
  wait_for_words(penstock, "endpoint far of upstream app can be reached from here again");
  change_route("address del 2001:db8::2/128 dev lo");
}

TEST_CASE(
    "where this host can go to no endpoint, clients are reset without an attempt, and served "
    "as soon as there is a way",
    "[connect]") {
  if (no_own_network()) return;
  const std::string far = "[2001:db8::3]:" + port_of(free_address());
  Penstock penstock{{.endpoints = {far, "[2001:db8::4]:80"}}};
  for (int i = 0; i < 10; ++i) REQUIRE(penstock.client().receive_all().ending == Ending::reset);
  penstock.wait_for_records(10);
  for (const Record& record : penstock.records()) {
    CHECK(text_of(record, "reason") == "connect_failed");
    CHECK(number_of(record, "attempts") == 0);
    CHECK(text_of(record, "connect_error") == "no_route");
    CHECK(record.at("tried").as_array().size() == 2);
  }
  CHECK(failures(penstock, "no_route") == 20);
  wait_for_words(penstock, "this host can connect to none of its endpoints");
  change_route("address add 2001:db8::3/128 dev lo nodad");
  Origin origin{far};
  origin.serve(say("F"));
  wait_until("it serves", [&] { return answer_of(penstock) == "F"; });
  wait_for_words(penstock, "upstream app has endpoints for new connections again");
  change_route("address del 2001:db8::3/128 dev lo");
}

TEST_CASE("a policy of this host that forbids an endpoint costs no attempt", "[connect]") {
  if (no_own_network()) return;
  Origin near;
  near.serve(say("N"));
  const std::string route = GENERATE("prohibit", "unreachable", "blackhole");
  CAPTURE(route);
  change_route("route add " + route + " 2001:db8::7/128");
  Penstock penstock{
      {.endpoints = {near.address(), "[2001:db8::7]:80"}, .upstream = "connect: {attempts: 1}"}};
  REQUIRE(answers_of(penstock, 6) == "NNNNNN");
  CHECK(failures(penstock, route == "prohibit" ? "not_permitted" : "no_route") > 0);
  change_route("route del " + route + " 2001:db8::7/128");
}

TEST_CASE("who finds the queue of a unix endpoint full waits until it has room", "[connect]") {
  TemporaryFolder folder;
  BusyApplication busy{"unix:" + folder.path("app.sock")};
  Penstock penstock{{.endpoints = {"unix:" + folder.path("app.sock") + " app"},
                     .upstream = "connect: {timeout: 20s, attempts: 1}, "
                                 "outlier: {consecutive_failures: 1, max_ejected: 100%}"}};
  std::vector<Peer> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(penstock.client());
  penstock.wait_for_metric("penstock_connections_active", {{"listener", "web"}}, 20);
  for (const Peer& client : clients) CHECK(client.ending() == Ending::open);
  for (Peer& client : clients) client.finish_sending();  // they are served in any order
  busy.is_free().serve(say("served"));
  for (Peer& client : clients) CHECK(client.read_to_end() == "served");
  penstock.wait_for_records(20);
  for (const Record& record : penstock.records()) CHECK(number_of(record, "attempts") == 1);
  CHECK(penstock.metrics().sum("penstock_upstream_connect_failures_total") == 0);
  CHECK(penstock.metrics().sum("penstock_endpoint_ejections_total") == 0);
}

TEST_CASE("a queue that stays full ends as a SYN without an answer does", "[connect]") {
  TemporaryFolder folder;
  const BusyApplication busy{"unix:" + folder.path("app.sock")};
  Penstock penstock{{.endpoints = {"unix:" + folder.path("app.sock")},
                     .upstream = "connect: {timeout: 200ms, attempts: 2}"}};
  Peer client = penstock.client();
  CHECK(client.receive_all().ending == Ending::reset);
  const Record record = penstock.record_of(client);
  CHECK(text_of(record, "reason") == "connect_failed");
  CHECK(record.at("duration_ms").to_number<double>() >= 400);
  CHECK(failures(penstock, "timeout") == 1);
}

TEST_CASE("a full queue sends clients on to another endpoint at once", "[connect]") {
  TemporaryFolder folder;
  const BusyApplication busy{"unix:" + folder.path("app.sock")};
  Origin other;
  other.serve(say("other"));
  Penstock penstock{{.endpoints = {"unix:" + folder.path("app.sock"), other.address()},
                     .upstream = "connect: {attempts: 1}"}};
  for (int i = 0; i < 6; ++i) REQUIRE(answer_of(penstock) == "other");
}

TEST_CASE("an endpoint that refuses while it restarts is asked again, with longer pauses",
          "[connect]") {
  const std::string address = free_address();
  Penstock penstock{{.endpoints = {address + " app"}, .upstream = "connect: {attempts: 8}"}};
  Peer client = penstock.client();
  penstock.wait_for_metric("penstock_upstream_connect_failures_total",
                           {{"endpoint", "app"}, {"reason", "refused"}}, 3);
  Origin app{address};
  app.serve(say("back"));
  client.finish_sending();
  CHECK(client.read_to_end() == "back");
  const Record record = penstock.record_of(client);
  CHECK(number_of(record, "attempts") >= 4);
  // 100, 200 and 400 ms, each less 20 %.
  CHECK(record.at("connect_ms").to_number<double>() >= 560);
}

TEST_CASE("a bind to a name listens on those of its addresses that are here, and says so",
          "[connect]") {
  if (no_name_server()) return;
  Origin app;
  app.serve(say("served"));
  NameServer names{"127.0.0.1 both.test\n2001:db8::9 both.test\n"};
  TemporaryFolder folder;
  const std::string resolv_conf = folder.write("resolv.conf", "nameserver 127.0.0.1\n");
  const std::string port = port_of(free_address());
  Penstock penstock{{.endpoints = {app.address()},
                     .bind = "both.test:" + port,
                     .program = {.resolv_conf = resolv_conf}}};
  wait_for_words(penstock, "bind both.test:" + port + ": [2001:db8::9]:" + port +
                               " is left out, for no interface of this machine has that address");
  Peer client = Peer::connect("127.0.0.1:" + port);
  client.finish_sending();
  CHECK(client.read_to_end() == "served");
}

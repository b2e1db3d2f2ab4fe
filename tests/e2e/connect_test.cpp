// Where a connection goes, and what happens when nobody is there.

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;

namespace {

// A connection that flows all the while: nothing that happens elsewhere may disturb it.
class Bystander {
 public:
  explicit Bystander(const std::string& address) : client_{Peer::connect(address)} {}
  void speaks() {
    client_.send("still there?");
    REQUIRE(client_.read(12) == "still there?");
  }

 private:
  Peer client_;
};

double failures(const Penstock& penstock, const std::string& endpoint, const std::string& reason) {
  return penstock.metrics().sum("penstock_upstream_connect_failures_total",
                                {{"endpoint", endpoint}, {"reason", reason}});
}

}  // namespace

TEST_CASE("two healthy endpoints take turns", "[connect]") {
  Origin a;
  Origin b;
  a.serve(say("A"));
  b.serve(say("B"));
  Penstock penstock{
      {.endpoints = {a.address() + " a", b.address() + " b"}, .runtime = "forwarders: 1"}};
  std::string order;
  for (int i = 0; i < 10; ++i) order += answer_of(penstock);
  CHECK((order == "ABABABABAB" || order == "BABABABABA"));
}

TEST_CASE("with one of two endpoints down every connection is served", "[connect]") {
  Origin a;
  a.serve(say("A"));
  const std::string nobody = free_address();
  Penstock penstock{{.endpoints = {nobody + " gone", a.address() + " a"}}};
  for (int i = 0; i < 20; ++i) REQUIRE(answer_of(penstock) == "A");
  penstock.wait_for_records(20);
  std::uint64_t attempts = 0;
  for (const Record& record : penstock.records()) {
    CHECK(text_of(record, "reason") == "complete");
    CHECK(text_of(record, "endpoint") == "a");
    attempts += number_of(record, "attempts");
  }
  CHECK(attempts == 30);
  CHECK(failures(penstock, "gone", "refused") == 10);
  CHECK(penstock.metrics().sum("penstock_upstream_retries_total") == 10);
}

TEST_CASE("with every endpoint down the client is reset, and the log says why", "[connect]") {
  Origin other;
  other.serve(echo);
  Penstock penstock{
      {.endpoints = {free_address(), free_address()}, .upstream = "connect: {attempts: 3}"}};
  Peer client = penstock.client();
  CHECK(client.receive_all().ending == Ending::reset);
  const Record record = penstock.record_of(client);
  CHECK(text_of(record, "reason") == "connect_failed");
  CHECK(number_of(record, "attempts") == 3);
  CHECK(text_of(record, "connect_error") == "refused");
  CHECK(record.at("tried").as_array().size() == 2);
  CHECK(penstock.metrics().sum("penstock_connections_closed_total",
                               {{"listener", "web"}, {"reason", "connect_failed"}}) == 1);
}

TEST_CASE("the longest timeout there may be, with several attempts, connects", "[connect]") {
  Origin a;
  a.serve(say("A"));
  Penstock penstock{{.endpoints = {a.address()},
                     .upstream = "connect: {timeout: 1000000h, attempts: 8}, max_connections: 1, "
                                 "queue: {size: 8, timeout: 1000000h}",
                     .defaults = "idle_timeout: 1000000h, max_lifetime: 1000000h"}};
  Peer first = penstock.client();  // it holds the only place: the next one comes from the line
  penstock.wait_for_metric("penstock_upstream_connections_active", {}, 1);
  Peer second = penstock.client();
  penstock.wait_for_metric("penstock_upstream_queue_length", {}, 1);
  for (Peer* client : {&first, &second}) {
    client->finish_sending();
    CHECK(client->read_to_end() == "A");
  }
}

TEST_CASE("a black hole costs one timeout, then the next endpoint serves", "[connect]") {
  BlackHole hole;
  Origin a;
  Penstock penstock{{.endpoints = {hole.address() + " hole", a.address() + " a"},
                     .upstream = "connect: {timeout: 300ms, attempts: 2}",
                     .runtime = "forwarders: 1"}};
  Peer first = penstock.client();  // one of the two meets the hole first
  Peer second = penstock.client();
  Peer one = a.accept();
  Peer two = a.accept();
  for (Peer* peer : {&one, &two}) peer->close();
  for (Peer* peer : {&first, &second}) {
    peer->finish_sending();
    CHECK(peer->read_to_end().empty());
  }
  const Record slow = penstock.record_where(
      "with two attempts", [](const Record& record) { return number_of(record, "attempts") == 2; });
  CHECK(text_of(slow, "endpoint") == "a");
  CHECK(slow.at("connect_ms").to_number<double>() >= 300);
  CHECK(failures(penstock, "hole", "timeout") == 1);
}

TEST_CASE("attempts that fail disturb nobody else", "[connect]") {
  BlackHole hole;
  Origin a;
  a.serve(echo);
  const std::string other = free_address();
  Penstock penstock{
      {.endpoints = {hole.address()},
       .upstream =
           "connect: {timeout: 200ms, attempts: 2}}\n  good: {endpoints: [\"" + a.address() + "\"]",
       .more_listeners = "  - {name: good, bind: \"" + other + "\", upstream: good}\n"}};
  Bystander bystander{other};
  bystander.speaks();
  std::vector<Peer> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(penstock.client());
    bystander.speaks();
  }
  for (Peer& client : clients) {
    CHECK(client.receive_all().ending == Ending::reset);
    bystander.speaks();
  }
  penstock.wait_for_records(50);
  for (const Record& record : penstock.records())
    REQUIRE(text_of(record, "reason") == "connect_failed");
}

TEST_CASE("a client that leaves while penstock connects is no failure of the upstream",
          "[connect]") {
  BlackHole hole;
  Penstock penstock{{.endpoints = {hole.address()}, .upstream = "connect: {timeout: 30s}"}};
  Peer client = penstock.client();
  penstock.wait_for_metric("penstock_connections_active", {{"listener", "web"}}, 1);
  client.reset();
  penstock.record_with_reason("client_reset");
  penstock.wait_until_rest();
}

TEST_CASE("bytes sent before the upstream is reached are not lost", "[connect]") {
  Origin a;
  Penstock penstock{{.endpoints = {free_address(), a.address()}}};
  for (int i = 0; i < 4; ++i) {
    Peer client = penstock.client();
    client.send("early bytes");
    Peer upstream = a.accept();
    REQUIRE(upstream.read(11) == "early bytes");
  }
}

TEST_CASE("an endpoint of weight 0 gets nothing, and alone it is no endpoint", "[connect]") {
  Origin a;
  Penstock penstock{
      {.endpoints = {a.address()}, .upstream = "balance: round_robin", .runtime = "forwarders: 1"}};
  SECTION("the weights share out the connections") {
    Origin b;
    a.serve(say("A"));
    b.serve(say("B"));
    Penstock weighted{{.bind = free_address(),
                       .listener = "upstream: two}\nupstreams:\n  two: {endpoints: [{address: \"" +
                                   a.address() + "\", weight: 3}, {address: \"" + b.address() +
                                   "\", weight: 1}]",
                       .runtime = "forwarders: 1"}};
    std::string served;
    for (int i = 0; i < 16; ++i) served += answer_of(weighted);
    CHECK(std::count(served.begin(), served.end(), 'A') == 12);
  }
  SECTION("weight 0") {
    Penstock nobody{{.bind = free_address(),
                     .listener = "upstream: two}\nupstreams:\n  two: {endpoints: [{address: \"" +
                                 a.address() + "\", weight: 0}]"}};
    Peer client = nobody.client();
    CHECK(client.receive_all().ending == Ending::reset);
    CHECK(text_of(nobody.record_of(client), "reason") == "no_endpoint");
  }
}

TEST_CASE("least_connections prefers the endpoint with fewer open ones", "[connect]") {
  Origin a;
  Origin b;
  Penstock penstock{{.endpoints = {a.address() + " a", b.address() + " b"},
                     .upstream = "balance: least_connections"}};
  std::vector<Peer> open;
  for (int i = 0; i < 4; ++i) open.push_back(penstock.client());
  Peer a1 = a.accept();
  Peer a2 = a.accept();
  Peer b1 = b.accept();
  Peer b2 = b.accept();
  CHECK_FALSE(a.somebody_waits());
  CHECK_FALSE(b.somebody_waits());
}

TEST_CASE("a connection of the proxy to itself is refused, not relayed", "[connect]") {
  if (!network_is_ours()) {
    WARN("skipped: the range of ephemeral ports can be narrowed only in a network of our own");
    return;
  }
  Penstock penstock{{.endpoints = {"127.0.0.1:45678"}, .upstream = "connect: {attempts: 1}"}};
  const std::string source = free_address();
  {
    // Whoever dials 45678 from the only port there is has dialled himself.
    const NetworkSetting narrow{"net/ipv4/ip_local_port_range", "45678 45678"};
    Peer client = penstock.client({.source = source});
    try {
      client.send("echo?");
    } catch (const Failure&) {
      // The RST was quicker: it is found below.
    }
    const Received got = client.receive_all();
    CHECK(got.bytes.empty());
    CHECK(got.ending == Ending::reset);
  }
  CHECK(text_of(penstock.record_with_reason("connect_failed"), "client") == source);
}

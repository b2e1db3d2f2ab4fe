// Places at endpoints, and the line of those who wait for one.

#include <algorithm>
#include <csignal>

#include "catch.hpp"
#include "e2e/echo_process.hpp"
#include "e2e/house.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;

namespace {

std::string with_places(const Origin& origin, int places, const std::string& name) {
  return "{address: \"" + origin.address() + "\", max_connections: " + std::to_string(places) +
         ", name: " + name + "}";
}

double waiting(const House& house) {
  return house.metrics().sum("penstock_upstream_queue_length", {{"upstream", "app"}});
}

// A client that stands in line, at this place.
Peer join(const House& house, int place, const std::string& words) {
  Peer client = house.client();
  client.send(words);
  wait_until("it stands in line", [&] { return waiting(house) == place; });
  return client;
}

void expect_reset(const House& house, Peer& client, const std::string& reason) {
  CHECK(client.receive_all().ending == Ending::reset);
  CHECK(text_of(house.record_of(client), "reason") == reason);
}

void end(Peer& client, Peer& served) {
  client.close();
  CHECK(served.read_to_end().empty());
  served.close();
}

}  // namespace

TEST_CASE("those in line are served in the order of their arrival, and one too many is reset",
          "[queue]") {
  const std::string forwarders = GENERATE("1", "2", "4");
  INFO("forwarders: " << forwarders);
  Origin origin;
  House house{{.endpoints = {with_places(origin, 1, "a")},
               .upstream = "queue: {size: 3, timeout: 0}",
               .runtime = "forwarders: " + forwarders}};
  Peer first = house.client();
  first.send("1");
  Peer served = origin.accept();
  CHECK(served.read(1) == "1");
  std::vector<Peer> line;
  for (int i = 2; i <= 4; ++i) line.push_back(join(house, i - 1, std::to_string(i)));
  Peer fifth = house.client();
  expect_reset(house, fifth, "queue_full");
  CHECK_FALSE(origin.somebody_waits());
  end(first, served);
  for (int i = 2; i <= 4; ++i) {
    served = origin.accept();
    CHECK(served.read(1) == std::to_string(i));
    CHECK(waiting(house) == 4 - i);
    CHECK_FALSE(origin.somebody_waits());
    end(line[static_cast<std::size_t>(i - 2)], served);
  }
  house.wait_until_rest();
  CHECK(house.metrics().sum("penstock_upstream_connections_active") == 0);
}

TEST_CASE("whoever goes away leaves the line, and those behind move up", "[queue]") {
  Origin origin;
  House house{{.endpoints = {with_places(origin, 1, "a")},
               .upstream = "queue: {size: 3, timeout: 0}",
               .runtime = "forwarders: 2"}};
  Peer first = house.client();
  Peer served = origin.accept();
  Peer leaves = join(house, 1, "2");
  Peer stays = join(house, 2, "3");
  const std::string ending = ":" + leaves.local_port();
  leaves.reset();
  wait_until("the line is shorter", [&] { return waiting(house) == 1; });
  const Record record = house.record_where(
      "of who left", [&](const Record& one) { return text_of(one, "client").ends_with(ending); });
  CHECK(text_of(record, "reason") == "client_reset");
  end(first, served);
  served = origin.accept();
  CHECK(served.read(1) == "3");
  CHECK(waiting(house) == 0);
}

TEST_CASE("a client that has said all it has to say keeps its place in line", "[queue]") {
  Origin origin;
  House house{
      {.endpoints = {with_places(origin, 1, "a")}, .upstream = "queue: {size: 3, timeout: 0}"}};
  Peer first = house.client();
  Peer served = origin.accept();
  Peer client = join(house, 1, "question");
  client.finish_sending();
  end(first, served);
  served = origin.accept();
  CHECK(served.read_to_end() == "question");
  served.send("answer");
  served.close();
  CHECK(client.read_to_end() == "answer");
}

TEST_CASE("who waits too long is reset", "[queue]") {
  Origin origin;
  House house{{.endpoints = {with_places(origin, 1, "a")},
               .upstream = "queue: {size: 3, timeout: 300ms}",
               .runtime = "forwarders: 2"}};
  Peer first = house.client();
  Peer served = origin.accept();
  std::vector<Peer> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(house.client());
  for (Peer& client : clients) {
    expect_reset(house, client, "queue_timeout");
    CHECK(house.record_of(client).at("duration_ms").to_number<double>() >= 300);
  }
  CHECK(waiting(house) == 0);
  first.send("still there?");
  CHECK(served.read(12) == "still there?");
}

TEST_CASE("max_connections of an upstream holds for all endpoints together", "[queue]") {
  Origin a;
  Origin b;
  House house{{.endpoints = {a.address(), b.address()},
               .upstream = "balance: least_connections, max_connections: 2, queue: {size: 1}",
               .runtime = "forwarders: 2"}};
  Peer first = house.client();
  Peer second = house.client();
  Peer at_a = a.accept();
  Peer at_b = b.accept();
  Peer third = join(house, 1, "3");
  Peer fourth = house.client();
  expect_reset(house, fourth, "queue_full");
  CHECK_FALSE(a.somebody_waits());
  CHECK_FALSE(b.somebody_waits());
  for (Peer* client : {&first, &second}) client->close();
  for (Peer* served : {&at_a, &at_b}) {
    CHECK(served->read_to_end().empty());
    served->close();
  }
  wait_until("the third is served", [&] { return a.somebody_waits() || b.somebody_waits(); });
  Peer served = a.somebody_waits() ? a.accept() : b.accept();
  CHECK(served.read(1) == "3");
}

TEST_CASE("without a queue a full endpoint means queue_full at once, unless another has room",
          "[queue]") {
  Origin a;
  Origin b;
  House house{{.endpoints = {with_places(a, 1, "a"), with_places(b, 1, "b")},
               .upstream = "balance: first"}};
  Peer first = house.client();
  Peer at_a = a.accept();
  Peer second = house.client();
  Peer at_b = b.accept();
  Peer third = house.client();
  expect_reset(house, third, "queue_full");
}

TEST_CASE("those in line hear at once when endpoints come and go", "[queue]") {
  Origin a;
  Origin b;
  House house{{.endpoints = {with_places(a, 1, "a"), with_places(b, 1, "b")},
               .upstream = "balance: first, queue: {size: 3, timeout: 0}",
               .runtime = "forwarders: 2"}};
  steer(house, "b", "down");
  Peer first = house.client();
  Peer served = a.accept();
  Peer second = join(house, 1, "2");
  Peer third = join(house, 2, "3");
  steer(house, "b", "up");
  Peer at_b = b.accept();
  CHECK(at_b.read(1) == "2");
  CHECK(waiting(house) == 1);
  // Nobody is left who could ever have a place.
  steer(house, "a", "down");
  steer(house, "b", "drain");
  expect_reset(house, third, "no_endpoint");
  first.send("1");
  CHECK(served.read(1) == "1");
}

TEST_CASE("with three places and four forwarders hundreds in line are all served", "[queue]") {
  EchoProcess a;
  House house{{.endpoints = {"{address: \"" + a.address() + "\", max_connections: 3, name: a}"},
               .upstream = "queue: {size: 1000, timeout: 0}",
               .runtime = "forwarders: 4"}};
  std::vector<Peer> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(house.client());
    clients.back().send("x");
  }
  double most = 0;
  wait_until("all are served", [&] {
    most = std::max(most, endpoint_of(house, "a").at("active").to_number<double>());
    std::erase_if(clients, [](const Peer& client) {
      std::string bytes;
      if (receive_now(client.descriptor(), bytes) != Ending::open)
        throw Failure{"one was not served"};
      return bytes == "x";
    });
    return clients.empty();
  });
  CHECK(most <= 3);
  house.wait_until_rest();
  CHECK(waiting(house) == 0);
  house.wait_for_records(300);
  for (const Record& record : house.records()) REQUIRE(text_of(record, "reason") == "complete");
}

TEST_CASE("those in line for an endpoint that nobody reaches are all reset in the end", "[queue]") {
  BlackHole hole;
  House house{{.endpoints = {"{address: \"" + hole.address() + "\", max_connections: 1}"},
               .upstream = "connect: {timeout: 50ms, attempts: 2}, queue: {size: 10, timeout: 0}",
               .runtime = "forwarders: 2"}};
  std::vector<Peer> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(house.client());
  for (Peer& client : clients) expect_reset(house, client, "connect_failed");
  CHECK(waiting(house) == 0);
  CHECK(house.metrics().sum("penstock_upstream_connections_active") == 0);
}

TEST_CASE("a place at an endpoint that died is free once its connection has ended", "[queue]") {
  EchoProcess a;
  House house{{.endpoints = {"{address: \"" + a.address() + "\", max_connections: 1}"},
               .upstream = "queue: {size: 3, timeout: 0}"}};
  Peer first = house.client();
  first.send("1");
  CHECK(first.read(1) == "1");
  Peer second = join(house, 1, "2");
  a.kill();
  CHECK(first.receive_all().ending == Ending::fin);
  a.start();
  CHECK(waiting(house) == 1);
  first.close();
  CHECK(second.read(1) == "2");
}

TEST_CASE("a drain of the proxy serves those in line first", "[queue]") {
  Origin origin;
  House house{
      {.endpoints = {with_places(origin, 1, "a")}, .upstream = "queue: {size: 3, timeout: 0}"}};
  Peer first = house.client();
  first.send("1");
  Peer served = origin.accept();
  CHECK(served.read(1) == "1");
  Peer second = join(house, 1, "2");
  house.program().signal(SIGTERM);
  wait_until("it drains", [&] {
    return house.program().errors().find("the drain begins") != std::string::npos;
  });
  end(first, served);
  served = origin.accept();
  CHECK(served.read(1) == "2");
  end(second, served);
  house.expect_clean_end();
}

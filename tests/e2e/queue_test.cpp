// Places at endpoints, and the line of those who wait for one.

#include <algorithm>
#include <csignal>

#include "catch.hpp"
#include "e2e/echo_process.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;

namespace {

std::string with_places(const Origin& origin, int places, const std::string& name) {
  return "{address: \"" + origin.address() + "\", max_connections: " + std::to_string(places) +
         ", name: " + name + "}";
}

double waiting(const Penstock& penstock) {
  return penstock.metrics().sum("penstock_upstream_queue_length", {{"upstream", "app"}});
}

// A client that stands in line, at this place.
Peer join(const Penstock& penstock, int place, const std::string& words) {
  Peer client = penstock.client();
  client.send(words);
  wait_until("it stands in line", [&] { return waiting(penstock) == place; });
  return client;
}

void expect_reset(const Penstock& penstock, Peer& client, const std::string& reason) {
  CHECK(client.receive_all().ending == Ending::reset);
  CHECK(text_of(penstock.record_of(client), "reason") == reason);
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
  Penstock penstock{{.endpoints = {with_places(origin, 1, "a")},
                     .upstream = "queue: {size: 3, timeout: 0}",
                     .runtime = "forwarders: " + forwarders}};
  Peer first = penstock.client();
  first.send("1");
  Peer served = origin.accept();
  CHECK(served.read(1) == "1");
  std::vector<Peer> line;
  for (int i = 2; i <= 4; ++i) line.push_back(join(penstock, i - 1, std::to_string(i)));
  Peer fifth = penstock.client();
  expect_reset(penstock, fifth, "queue_full");
  CHECK_FALSE(origin.somebody_waits());
  end(first, served);
  for (int i = 2; i <= 4; ++i) {
    served = origin.accept();
    CHECK(served.read(1) == std::to_string(i));
    CHECK(waiting(penstock) == 4 - i);
    CHECK_FALSE(origin.somebody_waits());
    end(line[static_cast<std::size_t>(i - 2)], served);
  }
  penstock.wait_until_rest();
  CHECK(penstock.metrics().sum("penstock_upstream_connections_active") == 0);
}

TEST_CASE("whoever goes away leaves the line, and those behind move up", "[queue]") {
  Origin origin;
  Penstock penstock{{.endpoints = {with_places(origin, 1, "a")},
                     .upstream = "queue: {size: 3, timeout: 0}",
                     .runtime = "forwarders: 2"}};
  Peer first = penstock.client();
  Peer served = origin.accept();
  Peer leaves = join(penstock, 1, "2");
  Peer stays = join(penstock, 2, "3");
  const std::string ending = ":" + leaves.local_port();
  leaves.reset();
  wait_until("the line is shorter", [&] { return waiting(penstock) == 1; });
  const Record record = penstock.record_where(
      "of who left", [&](const Record& one) { return text_of(one, "client").ends_with(ending); });
  CHECK(text_of(record, "reason") == "client_reset");
  end(first, served);
  served = origin.accept();
  CHECK(served.read(1) == "3");
  CHECK(waiting(penstock) == 0);
}

TEST_CASE("a client that has said all it has to say keeps its place in line", "[queue]") {
  Origin origin;
  Penstock penstock{
      {.endpoints = {with_places(origin, 1, "a")}, .upstream = "queue: {size: 3, timeout: 0}"}};
  Peer first = penstock.client();
  Peer served = origin.accept();
  Peer client = join(penstock, 1, "question");
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
  Penstock penstock{{.endpoints = {with_places(origin, 1, "a")},
                     .upstream = "queue: {size: 3, timeout: 300ms}",
                     .runtime = "forwarders: 2"}};
  Peer first = penstock.client();
  Peer served = origin.accept();
  std::vector<Peer> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(penstock.client());
  for (Peer& client : clients) {
    expect_reset(penstock, client, "queue_timeout");
    CHECK(penstock.record_of(client).at("duration_ms").to_number<double>() >= 300);
  }
  CHECK(waiting(penstock) == 0);
  first.send("still there?");
  CHECK(served.read(12) == "still there?");
}

TEST_CASE("max_connections of an upstream holds for all endpoints together", "[queue]") {
  Origin a;
  Origin b;
  Penstock penstock{{.endpoints = {a.address(), b.address()},
                     .upstream = "balance: least_connections, max_connections: 2, queue: {size: 1}",
                     .runtime = "forwarders: 2"}};
  Peer first = penstock.client();
  Peer second = penstock.client();
  Peer at_a = a.accept();
  Peer at_b = b.accept();
  Peer third = join(penstock, 1, "3");
  Peer fourth = penstock.client();
  expect_reset(penstock, fourth, "queue_full");
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
  Penstock penstock{{.endpoints = {with_places(a, 1, "a"), with_places(b, 1, "b")},
                     .upstream = "balance: first"}};
  Peer first = penstock.client();
  Peer at_a = a.accept();
  Peer second = penstock.client();
  Peer at_b = b.accept();
  Peer third = penstock.client();
  expect_reset(penstock, third, "queue_full");
}

TEST_CASE("those in line hear at once when endpoints come and go", "[queue]") {
  Origin a;
  Origin b;
  Penstock penstock{{.endpoints = {with_places(a, 1, "a"), with_places(b, 1, "b")},
                     .upstream = "balance: first, queue: {size: 3, timeout: 0}",
                     .runtime = "forwarders: 2"}};
  steer(penstock, "b", "down");
  Peer first = penstock.client();
  Peer served = a.accept();
  Peer second = join(penstock, 1, "2");
  Peer third = join(penstock, 2, "3");
  steer(penstock, "b", "up");
  Peer at_b = b.accept();
  CHECK(at_b.read(1) == "2");
  CHECK(waiting(penstock) == 1);
  // Nobody is left who could ever have a place.
  steer(penstock, "a", "down");
  steer(penstock, "b", "drain");
  expect_reset(penstock, third, "no_endpoint");
  first.send("1");
  CHECK(served.read(1) == "1");
}

TEST_CASE("with three places and four forwarders hundreds in line are all served", "[queue]") {
  EchoProcess a;
  Penstock penstock{
      {.endpoints = {"{address: \"" + a.address() + "\", max_connections: 3, name: a}"},
       .upstream = "queue: {size: 1000, timeout: 0}",
       .runtime = "forwarders: 4"}};
  std::vector<Peer> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(penstock.client());
    clients.back().send("x");
  }
  double most = 0;
  wait_until("all are served", [&] {
    most = std::max(most, endpoint_of(penstock, "a").at("active").to_number<double>());
    std::erase_if(clients, [](const Peer& client) {
      std::string bytes;
      if (receive_now(client.descriptor(), bytes) != Ending::open)
        throw Failure{"one was not served"};
      return bytes == "x";
    });
    return clients.empty();
  });
  CHECK(most <= 3);
  penstock.wait_until_rest();
  CHECK(waiting(penstock) == 0);
  penstock.wait_for_records(300);
  for (const Record& record : penstock.records()) REQUIRE(text_of(record, "reason") == "complete");
}

TEST_CASE("those in line for an endpoint that nobody reaches are all reset in the end", "[queue]") {
  BlackHole hole;
  Penstock penstock{
      {.endpoints = {"{address: \"" + hole.address() + "\", max_connections: 1}"},
       .upstream = "connect: {timeout: 50ms, attempts: 2}, queue: {size: 10, timeout: 0}",
       .runtime = "forwarders: 2"}};
  std::vector<Peer> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(penstock.client());
  for (Peer& client : clients) expect_reset(penstock, client, "connect_failed");
  CHECK(waiting(penstock) == 0);
  CHECK(penstock.metrics().sum("penstock_upstream_connections_active") == 0);
}

TEST_CASE("a place at an endpoint that died is free once its connection has ended", "[queue]") {
  EchoProcess a;
  Penstock penstock{{.endpoints = {"{address: \"" + a.address() + "\", max_connections: 1}"},
                     .upstream = "queue: {size: 3, timeout: 0}"}};
  Peer first = penstock.client();
  first.send("1");
  CHECK(first.read(1) == "1");
  Peer second = join(penstock, 1, "2");
  a.kill();
  CHECK(first.receive_all().ending == Ending::fin);
  a.start();
  CHECK(waiting(penstock) == 1);
  first.close();
  CHECK(second.read(1) == "2");
}

TEST_CASE("a drain of the proxy serves those in line first", "[queue]") {
  Origin origin;
  Penstock penstock{
      {.endpoints = {with_places(origin, 1, "a")}, .upstream = "queue: {size: 3, timeout: 0}"}};
  Peer first = penstock.client();
  first.send("1");
  Peer served = origin.accept();
  CHECK(served.read(1) == "1");
  Peer second = join(penstock, 1, "2");
  penstock.program().signal(SIGTERM);
  wait_until("it drains", [&] {
    return penstock.program().errors().find("the drain begins") != std::string::npos;
  });
  end(first, served);
  served = origin.accept();
  CHECK(served.read(1) == "2");
  end(second, served);
  penstock.expect_clean_end();
}

// TCP urgent data is delivered in line, and an urgent mark neither stops nor spins the proxy.

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/temporary_folder.hpp"

using namespace penstock::e2e;

namespace {

const char* const engines[] = {"engine: adaptive", "engine: splice", "engine: copy"};

// Sends pieces of plain bytes, and an urgent byte where a piece is "!".
std::string send_pieces(Peer& peer, const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) {
    if (piece == "!")
      peer.send_urgent('!');
    else
      peer.send(piece);
    all += piece;
  }
  return all;
}

void expect_in_line(const Penstock& penstock, Origin& origin,
                    const std::vector<std::string>& pieces, bool finish) {
  for (const bool from_client : {true, false}) {
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    Peer& sender = from_client ? client : upstream;
    Peer& receiver = from_client ? upstream : client;
    const std::string sent = send_pieces(sender, pieces);
    if (finish) {
      sender.finish_sending();
      REQUIRE(receiver.read_to_end() == sent);
    } else {
      REQUIRE(receiver.read(sent.size()) == sent);
    }
    // And the connection is as good as before.
    if (!finish) {
      sender.send("after");
      REQUIRE(receiver.read(5) == "after");
    }
    receiver.send("back");
    REQUIRE(sender.read(4) == "back");
  }
}

}  // namespace

TEST_CASE("an urgent byte arrives in line wherever it stands", "[urgent][sanitize]") {
  const std::string large{payload(3, 200'000)};
  for (const char* engine : engines) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    for (const bool finish : {false, true}) {
      INFO(engine << (finish ? ", with FIN" : ", without FIN"));
      expect_in_line(penstock, origin, {"before ", "!", "behind"}, finish);
      expect_in_line(penstock, origin, {"!", "behind"}, finish);
      expect_in_line(penstock, origin, {"before", "!"}, finish);
      expect_in_line(penstock, origin, {"!"}, finish);
      expect_in_line(penstock, origin, {large, "!", large, "!"}, finish);
    }
  }
}

TEST_CASE("1000 urgent bytes arrive in line among others", "[urgent][sanitize]") {
  std::vector<std::string> pieces;
  for (int i = 0; i < 1000; ++i) {
    pieces.push_back("piece " + std::to_string(i));
    pieces.push_back("!");
  }
  for (const char* engine : engines) {
    INFO(engine);
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    expect_in_line(penstock, origin, pieces, false);
    expect_in_line(penstock, origin, pieces, true);
  }
}

TEST_CASE("a connection that rests at an urgent mark costs no CPU", "[urgent][sanitize]") {
  for (const char* engine : engines) {
    INFO(engine);
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}, .relay = engine}};
    Peer client = penstock.client();
    Peer upstream = origin.accept();
    client.send("before");
    client.send_urgent('!');
    REQUIRE(upstream.read(7) == "before!");
    // A second one whose receiver does not read: the mark waits in the middle.
    Peer blocked = penstock.client();
    Peer idle = origin.accept();
    blocked.send(payload(4, 1 << 20));
    blocked.send_urgent('!');
    const double before = penstock.program().cpu_seconds();
    holds_for(2s, "the connection is open", [&] { return client.ending() == Ending::open; });
    CHECK(penstock.program().cpu_seconds() - before < 0.3);
    client.send("behind");
    REQUIRE(upstream.read(6) == "behind");
  }
}

TEST_CASE("an urgent byte arrives in line from and to unix sockets", "[urgent][sanitize]") {
  const TemporaryFolder folder;
  const std::string large{payload(5, 200'000)};
  int houses = 0;
  for (const char* engine : engines) {
    for (const bool unix_client : {true, false}) {
      INFO(engine << (unix_client ? ", the client's" : ", the endpoint's") << " is a unix socket");
      const std::string app = folder.path(std::to_string(houses) + "-app.sock");
      const std::string web = folder.path(std::to_string(houses++) + "-web.sock");
      Origin origin{unix_client ? free_address() : "unix:" + app};
      Penstock penstock{{.endpoints = {origin.address()},
                         .bind = unix_client ? "unix:" + web : std::string{},
                         .relay = engine}};
      for (const bool finish : {false, true}) {
        expect_in_line(penstock, origin, {"before ", "!", "behind"}, finish);
        expect_in_line(penstock, origin, {"!", "behind"}, finish);
        expect_in_line(penstock, origin, {"before", "!"}, finish);
        expect_in_line(penstock, origin, {large, "!", large, "!"}, finish);
      }
    }
  }
}

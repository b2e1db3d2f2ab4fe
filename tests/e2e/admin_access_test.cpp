// Who gets what of the administration, and who waits for whom.

#include <sys/stat.h>

#include <boost/json/parse.hpp>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/talk.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;

namespace {

std::string raw(const std::string& address, const std::string& request) {
  Peer peer = Peer::connect(address);
  peer.send(request);
  return peer.read_to_end();
}

// A proxy with these admin addresses, as items of a list in flow style.
class Guarded {
 public:
  explicit Guarded(const std::string& binds, std::size_t descriptors_max = 0)
      : program_{{penstock_binary(), "run", "-c",
                  folder_.write("p.yaml", "listeners: [{bind: \"" + free_address() +
                                              "\", upstream: app}]\nupstreams: {app: {endpoints: "
                                              "[\"127.0.0.1:1\"]}}\nadmin: [" +
                                              binds + "]\nruntime: {drain: {timeout: 1s}}\n")},
                 {.descriptors_max = descriptors_max}} {
    wait_until("it is ready",
               [&] { return program_.errors().find("ready;") != std::string::npos; });
  }
  Program& program() noexcept { return program_; }

 private:
  TemporaryFolder folder_;
  Program program_;
};

std::string bind_of(const std::string& address, const std::string& more = {}) {
  return "{bind: \"" + address + "\"" + (more.empty() ? "" : ", " + more) + "}";
}

int ctl(const std::string& admin, const std::string& verb,
        const std::vector<std::string>& environment = {}) {
  Program program{{penstock_binary(), "ctl", "--admin", admin, verb}, {.environment = environment}};
  return program.wait();
}

}  // namespace

TEST_CASE("silent readers of one address do not shut out who steers on another", "[admin]") {
  const TemporaryFolder folder;
  const std::string steering = "unix:" + folder.path("admin.sock");
  const std::string reading = free_address();
  Guarded proxy{bind_of(steering) + ", " + bind_of(reading, "read_only: true")};
  std::vector<Peer> silent;
  for (int i = 0; i < 64; ++i) silent.push_back(Peer::connect(reading));
  // Its end shows that all before it have their places.
  CHECK(Peer::connect(reading).read_to_end().empty());
  CHECK(ctl(steering, "drain") == 0);
  CHECK(proxy.program().wait() == 0);
}

TEST_CASE("where descriptors are few, so are the places of each admin address", "[admin]") {
  const std::string one = free_address();
  const std::string other = free_address();
  Guarded proxy{bind_of(one) + ", " + bind_of(other), 256};  // a sixteenth for both
  std::vector<Peer> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(Peer::connect(one));
  CHECK(ctl(one, "status") == 1);
  CHECK(ctl(other, "status") == 0);
  CHECK(ctl(other, "drain") == 0);
  CHECK(proxy.program().wait() == 0);
}

TEST_CASE("an admin address with a token tells nobody anything without it, but health", "[admin]") {
  const TemporaryFolder folder;
  const std::string token = folder.write("token", "a-long-enough-token\n");
  REQUIRE(::chmod(token.c_str(), 0600) == 0);
  const std::string admin = free_address();
  Guarded proxy{bind_of(admin, "token_file: \"" + token + "\"")};
  for (const char* page : {"/metrics", "/status", "/upstreams", "/config", "/nowhere"}) {
    CAPTURE(page);
    const HttpAnswer refused = http(admin, "GET", page);
    CHECK(refused.status == 401);
    CHECK(refused.head.find("WWW-Authenticate: Bearer") != std::string::npos);
    CHECK(boost::json::parse(refused.body).at("error").is_string());
  }
  CHECK(http(admin, "POST", "/drain").status == 401);
  CHECK(http(admin, "GET", "/healthz").status == 200);
  CHECK(http(admin, "GET", "/readyz").status == 200);
  CHECK(http(admin, "GET", "/status", "Authorization: Bearer a-long-enough-token\r\n").status ==
        200);
  CHECK(ctl(admin, "drain") == 1);
  CHECK(ctl(admin, "drain", {"PENSTOCK_TOKEN_FILE=" + token}) == 0);
  CHECK(proxy.program().wait() == 0);
}

TEST_CASE("a token that others may read does not start", "[admin]") {
  const TemporaryFolder folder;
  const std::string token = folder.write("token", "a-long-enough-token\n");
  REQUIRE(::chmod(token.c_str(), 0640) == 0);
  const std::string file = folder.write(
      "p.yaml",
      "listeners: [{bind: \"" + free_address() +
          "\", upstream: app}]\nupstreams: {app: {endpoints: [\"127.0.0.1:1\"]}}\nadmin: " +
          bind_of(free_address(), "token_file: token") + "\n");
  Program penstock{{penstock_binary(), "run", "-c", file}};
  CHECK(penstock.wait() == 1);
  CHECK(penstock.errors().find("token can be read by others: chmod 600 it") != std::string::npos);
}

TEST_CASE("who comes by a foreign name reads nothing on loopback, and no foreign page writes",
          "[admin]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  const auto status = [&](const std::string& method, const std::string& target,
                          const std::string& headers) {
    const std::string answer =
        raw(penstock.admin(),
            method + " " + target + " HTTP/1.1\r\nConnection: close\r\n" + headers + "\r\n");
    return answer.substr(answer.find(' ') + 1, 3);
  };
  CHECK(status("GET", "/upstreams", "Host: rebound.example\r\n") == "403");
  CHECK(status("GET", "/metrics", "Host: rebound.example\r\n") == "200");
  CHECK(status("GET", "/healthz", "Host: rebound.example\r\n") == "200");
  CHECK(status("GET", "/upstreams", "Host: localhost\r\n") == "200");
  const std::string steer = "/upstreams/app/endpoints/" + origin.address() + "?state=up";
  const std::string own =
      "Host: " + penstock.admin() + "\r\nOrigin: http://" + penstock.admin() + "\r\n";
  CHECK(status("POST", steer, own) == "403");
  CHECK(status("POST", steer, own + "X-Penstock: 1\r\nSec-Fetch-Site: cross-site\r\n") == "403");
  CHECK(status("POST", steer, own + "X-Penstock: 1\r\nSec-Fetch-Site: same-origin\r\n") == "200");
  CHECK(status("POST", steer, "Host: " + penstock.admin() + "\r\n") == "200");
}

TEST_CASE("who asks for the head of a page has none made", "[admin]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  const HttpAnswer head = http(penstock.admin(), "HEAD", "/upstreams");
  CHECK(head.status == 200);
  CHECK(head.head.find("application/json") != std::string::npos);
  CHECK(head.head.find("Content-Length") == std::string::npos);
  CHECK(head.body.empty());
}

TEST_CASE("a megabyte of open brackets in a watched file keeps nobody waiting", "[discovery]") {
  Origin origin;
  origin.serve(say("A"));
  const TemporaryFolder folder;
  const std::string file = folder.write("endpoints.yaml", "- " + origin.address() + "\n");
  Penstock penstock{{.endpoints = {"{file: \"" + file + "\"}"}}};
  wait_for_endpoints(penstock, {origin.address()});
  folder.write("endpoints.yaml", "x: " + std::string(1'000'000, '['));
  wait_for_words(penstock, "its last good list of 1 endpoints stays in use");
  CHECK(http(penstock.admin(), "GET", "/healthz").status == 200);
  CHECK(answer_of(penstock) == "A");
}

#include <array>
#include <filesystem>
#include <thread>

#include "admin/fixture.hpp"
#include "admin/router.hpp"
#include "admin/server.hpp"
#include "catch.hpp"
#include "cli/ctl/client.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

using namespace penstock;
using namespace penstock::testing;
using namespace std::chrono_literals;
using admin::AdminAnswer;

namespace {

AdminAnswer ask(FakeView& view, const std::string& method, const std::string& target) {
  return admin::answer({.method = method, .target = target, .host = "127.0.0.1:9900"}, view);
}

std::string error_in(const std::string& body) {
  return std::string{boost::json::parse(body).at("error").as_string()};
}

// The status of an answer's first line.
std::string status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.") && answer.size() > 12 ? answer.substr(9, 3) : answer;
}

template <class Fact>
bool comes_true(Fact&& fact) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!fact())
    if (std::chrono::steady_clock::now() > deadline) return false;
  return true;
}

}  // namespace

TEST_CASE("an endpoint is steered by its percent-encoded name", "[admin]") {
  FakeView view;
  CHECK(ask(view, "POST", "/upstreams/web/endpoints/10.0.0.1:80?state=drain").status == 200);
  CHECK(view.steered == "web 10.0.0.1:80 drain");
  CHECK(ask(view, "POST", "/upstreams/web/endpoints/unix%3A%2Frun%2Fa%20b.sock?state=up").status ==
        200);
  CHECK(view.steered == "web unix:/run/a b.sock up");
  CHECK(ask(view, "POST", "/upstreams/web/endpoints/%5B::1%5D:80?state=down").status == 200);
  CHECK(view.steered == "web [::1]:80 down");
}

TEST_CASE("a write to an endpoint that cannot be is refused with the reason", "[admin]") {
  FakeView view;
  const auto missing = ask(view, "POST", "/upstreams/api/endpoints/a?state=up");
  CHECK(missing.status == 404);
  CHECK(error_in(missing.body) == "there is no endpoint 'a' in an upstream 'api'");
  for (const char* query : {"", "?state=", "?state=gone", "?status=up"}) {
    const auto wrong = ask(view, "POST", "/upstreams/web/endpoints/a" + std::string{query});
    CHECK(wrong.status == 400);
    CHECK(error_in(wrong.body) == "state must be up, drain or down");
  }
  CHECK(ask(view, "GET", "/upstreams/web/endpoints/a").status == 405);
  CHECK(ask(view, "POST", "/upstreams/web/endpoints?state=up").status == 404);
  CHECK(ask(view, "POST", "/upstreams/web/endpoints/a/b?state=up").status == 404);
  CHECK(ask(view, "GET", "/upstreams/%zz").status == 400);
}

TEST_CASE("a path or a parameter that is no plain text is refused in words that are", "[admin]") {
  FakeView view;
  for (const std::string bad : {"%ff", "%00", "%1b%5b2J", "%c2%9b", "a%0ab", "%ed%a0%80"})
    for (const auto& [method, target] :
         {std::pair<const char*, std::string>{"POST",
                                              "/upstreams/web/endpoints/" + bad + "?state=up"},
          {"POST", "/upstreams/" + bad + "/endpoints/a?state=up"},
          {"POST", "/upstreams/web/endpoints/a?state=" + bad},
          {"GET", "/explain?listener=" + bad},
          {"GET", "/explain?listener=web&source=" + bad},
          {"GET", "/explain?" + bad + "=web"},
          {"GET", "/" + bad}}) {
      CAPTURE(target);
      const auto refused = ask(view, method, target);
      CHECK(refused.status == 400);
      CHECK(error_in(refused.body) ==
            "the path or a parameter is not UTF-8, or has control characters");
    }
  CHECK(view.steered.empty());
  CHECK(ask(view, "GET", "/gr%c3%bc%c3%9fe").status == 404);
}

TEST_CASE("explain answers, or says what is wrong with the question", "[admin]") {
  FakeView view;
  CHECK(base::text_of(ask(view, "GET", "/explain?listener=web&source=10.0.0.1").pieces) ==
        "{\"listener\":\"web\",\"source\":\"10.0.0.1\"}\n");
  CHECK(ask(view, "GET", "/explain").status == 400);
}

TEST_CASE("every page answers GET", "[admin]") {
  FakeView view;
  CHECK(ask(view, "GET", "/healthz").body == "{\"healthy\":true}\n");
  CHECK(ask(view, "GET", "/readyz").body == "{\"ready\":true}\n");
  CHECK(ask(view, "GET", "/status?pretty=no").page == admin::PageName::status);
  CHECK(ask(view, "GET", "/listeners").page == admin::PageName::listeners);
  CHECK(ask(view, "GET", "/upstreams").page == admin::PageName::upstreams);
  CHECK(ask(view, "GET", "/numa").page == admin::PageName::numa);
  const AdminAnswer metrics = ask(view, "GET", "/metrics");
  CHECK(metrics.content_type.starts_with("text/plain; version=0.0.4"));
  CHECK(metrics.page == admin::PageName::metrics);
  CHECK(view.pages_begun == 0);
}

TEST_CASE("health and readiness answer 503 with the reason", "[admin]") {
  FakeView view;
  view.unhealthy = "forwarder 1 is silent";
  view.not_ready = "a drain runs";
  CHECK(ask(view, "GET", "/healthz").status == 503);
  CHECK(error_in(ask(view, "GET", "/healthz").body) == "forwarder 1 is silent");
  CHECK(ask(view, "GET", "/readyz").status == 503);
  CHECK(error_in(ask(view, "GET", "/readyz").body) == "a drain runs");
}

TEST_CASE("a page that does not exist is 404, a wrong method 405 with what is allowed", "[admin]") {
  FakeView view;
  CHECK(ask(view, "GET", "/nowhere").status == 404);
  CHECK(ask(view, "GET", "/healthz/").status == 404);
  CHECK(ask(view, "POST", "/status").status == 405);
  CHECK(ask(view, "POST", "/status").allow == "GET, HEAD");
  CHECK(ask(view, "GET", "/drain").status == 405);
  CHECK(ask(view, "GET", "/drain").allow == "POST");
  CHECK(view.drains == 0);
}

TEST_CASE("who waits for the end of a drain is answered then, with what became of it", "[admin]") {
  FakeView view;
  CHECK(ask(view, "POST", "/drain?wait=true").waits_for_drain);
  CHECK_FALSE(ask(view, "POST", "/drain?wait=false").waits_for_drain);
  CHECK(view.drains == 2);
  CHECK(ask(view, "POST", "/drain?wait=maybe").status == 400);
  CHECK(view.drains == 2);
  const RunningAdmin admin;
  const auto reply = cli::fetch(admin.address(), "POST", "/drain?wait=true");
  REQUIRE(reply.has_value());
  CHECK(reply->status == 200);
  CHECK(reply->body == "{\"drained\":3,\"cut\":1}\n");
}

TEST_CASE("who waits for the end of a drain and leaves gives his place back", "[admin]") {
  RunningAdmin admin{{.connections_max = 1}};
  admin.view.drains_for_ever = true;
  asio::io_context io;
  asio::ip::tcp::socket waits{io};
  waits.connect(admin.endpoint());
  asio::write(waits, asio::buffer(
                         std::string{"POST /drain?wait=true HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"}));
  const auto is_served = [&] {
    return status_of(exchange(
               admin, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")) == "200";
  };
  REQUIRE(comes_true([&] { return admin.view.drains == 1; }));
  CHECK_FALSE(is_served());
  waits.close();
  CHECK(comes_true(is_served));
}

TEST_CASE("every page keeps the rules of who may ask for it", "[admin]") {
  FakeView view;
  const auto status_of_stranger = [&](const char* method, const char* target) {
    return admin::answer(
               {.method = method, .target = target, .host = "a.example", .guards_reads = true},
               view)
        .status;
  };
  for (const char* target :
       {"/status", "/listeners", "/upstreams", "/numa", "/explain?listener=web", "/nowhere"}) {
    CAPTURE(target);
    CHECK(status_of_stranger("GET", target) == 403);
  }
  for (const char* target : {"/healthz", "/readyz", "/metrics"}) {
    CAPTURE(target);
    CHECK(status_of_stranger("GET", target) == 200);
  }
  CHECK(status_of_stranger("POST", "/drain") == 403);
  CHECK(status_of_stranger("POST", "/upstreams/web/endpoints/a?state=up") == 403);
  CHECK(view.drains == 0);
  CHECK(view.steered.empty());
}

TEST_CASE("the server answers over TCP and keeps the connection for the next request", "[admin]") {
  const RunningAdmin admin;
  const std::string answers =
      exchange(admin,
               "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
               "HEAD /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(status_of(answers) == "200");
  const auto second = answers.find("HTTP/1.1", 1);
  REQUIRE(second != answers.npos);
  CHECK(answers.find("{\"healthy\":true}") < second);
  CHECK(answers.find("Content-Length: 17\r\n", second) != answers.npos);
  CHECK(answers.ends_with("\r\n\r\n"));
}

TEST_CASE("a large request is answered, and is the last one of its connection", "[admin]") {
  const RunningAdmin admin;
  const auto answers_to = [&](const std::string& fields) {
    const std::string one = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
    const std::string answers =
        ::exchange(admin, one + fields + "\r\n" + one + "Connection: close\r\n\r\n");
    CHECK(status_of(answers) == "200");
    return answers.find("HTTP/1.1", 1) == answers.npos ? 1 : 2;
  };
  CHECK(answers_to("X: " + std::string(1'900, 'x') + "\r\n") == 2);
  CHECK(answers_to("X: " + std::string(2'100, 'x') + "\r\n") == 1);
}

TEST_CASE("requests that are too large, too slow or no HTTP are refused in JSON", "[admin]") {
  const RunningAdmin admin{{.timeout = 200ms}};
  const auto refused = [&](const std::string& request, const std::string& status) {
    const std::string answer = exchange(admin, request);
    CAPTURE(request.substr(0, 60), answer);
    CHECK(status_of(answer) == status);
    CHECK_FALSE(error_in(answer.substr(answer.find("\r\n\r\n") + 4)).empty());
  };
  refused("POST /drain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 65537\r\n\r\n", "413");
  refused("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", "431");
  refused("GET /healthz HTTP/1.1\r\nHost:", "408");
  refused("\x16\x03\x01 not HTTP\r\n\r\n", "400");
  CHECK(admin.view.drains == 0);
}

TEST_CASE("a connection that never asks is closed without a word", "[admin]") {
  const RunningAdmin admin{{.timeout = 100ms}};
  CHECK(exchange(admin, "").empty());
}

TEST_CASE("who asks for the head alone has no page made", "[admin]") {
  const RunningAdmin admin;
  const std::string head = "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string heads;
  for (int i = 0; i < 100; ++i) heads += head;
  const std::string last = "HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const std::string answers = ::exchange(admin, heads + last);
  CHECK(status_of(answers) == "200");
  CHECK(answers.find("penstock_x") == answers.npos);
  CHECK(admin.view.pages_begun == 0);
}

TEST_CASE("a page of many parts comes whole, in chunks or to the end of the connection",
          "[admin]") {
  RunningAdmin admin;
  admin.view.pieces = 100;
  admin.view.long_piece = std::string(10'000, 'x') + '\n';
  const auto reply = cli::fetch(admin.address(), "GET", "/metrics");
  REQUIRE(reply.has_value());
  CHECK(reply->body.size() == 100 * 10'001);
  CHECK(reply->body.ends_with("x\n"));
  const std::string old = exchange(admin, "GET /upstreams HTTP/1.0\r\nHost: localhost\r\n\r\n");
  CHECK(old.find("Transfer-Encoding") == old.npos);
  CHECK(old.size() - old.find("\r\n\r\n") - 4 == 100 * 10'001);
  // Who comes behind it on the same connection is answered as well.
  const std::string next = exchange(admin,
                                    "GET /upstreams HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                    "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
  CHECK(next.ends_with("{\"healthy\":true}\n"));
}

TEST_CASE("who asks and does not read has a page made as far as the kernel's buffers go",
          "[admin]") {
  RunningAdmin admin{{.connections_max = 1, .timeout = 500ms}};
  admin.view.pieces = 10'000;
  admin.view.long_piece = std::string(10'000, 'x') + '\n';
  asio::io_context io;
  asio::ip::tcp::socket silent{io};
  silent.open(asio::ip::tcp::v4());
  silent.set_option(asio::socket_base::receive_buffer_size{64 * 1024});
  silent.connect(admin.endpoint());
  asio::write(silent, asio::buffer(std::string{"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"}));
  // His place is free once the server has given him up.
  bool answered = false;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!answered && std::chrono::steady_clock::now() < deadline)
    answered = cli::fetch(admin.address(), "GET", "/healthz").has_value();
  CHECK(answered);
  CHECK(admin.view.pieces_made > 0);
  CHECK(admin.view.pieces_made < 1'000);  // of 10,000: 10 of 100 MB
}

TEST_CASE("connections beyond the limit are closed at once, and a place that is left is reused",
          "[admin]") {
  const RunningAdmin admin{{.connections_max = 1}};
  asio::io_context io;
  {
    asio::ip::tcp::socket first{io};
    first.connect(admin.endpoint());
    asio::write(first, asio::buffer(std::string{"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"}));
    std::array<char, 8> begin;
    asio::read(first, asio::buffer(begin));  // it has its place by now
    CHECK_FALSE(cli::fetch(admin.address(), "GET", "/healthz").has_value());
  }
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  bool answered = false;
  while (!answered && std::chrono::steady_clock::now() < deadline)
    answered = cli::fetch(admin.address(), "GET", "/healthz").has_value();
  CHECK(answered);
}

TEST_CASE("who only reads never takes the place of who steers", "[admin]") {
  const RunningAdmin admin{{.connections_max = 1}, "127.0.0.1:0", "127.0.0.1:0"};
  asio::io_context io;
  asio::ip::tcp::socket reader{io};
  reader.connect(admin.endpoint());
  asio::write(reader, asio::buffer(std::string{"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"}));
  std::array<char, 8> begin;
  asio::read(reader, asio::buffer(begin));  // the one place of this bind is taken
  const auto reply = cli::fetch(admin.address(1), "POST", "/drain");
  REQUIRE(reply.has_value());
  CHECK(reply->status == 202);
}

TEST_CASE("the client of ctl reaches a unix socket, whose mode is 0600", "[admin]") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("penstock-admin-" + std::to_string(os::process_id()) + ".sock");
  {
    RunningAdmin admin{{}, "unix:" + path.string()};
    const auto permissions = std::filesystem::status(path).permissions();
    CHECK((permissions & std::filesystem::perms::mask) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    const auto reply = cli::fetch(admin.address(), "POST", "/drain");
    REQUIRE(reply.has_value());
    CHECK(reply->status == 202);
    CHECK(admin.view.drains == 1);
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(cli::fetch("unix:" + path.string(), "GET", "/healthz").has_value());
}

TEST_CASE("a write through a name goes out with the literal address", "[admin]") {
  RunningAdmin admin;
  const auto port = std::to_string(admin.endpoint().port());
  const auto reply = cli::fetch("localhost:" + port, "POST", "/drain");
  REQUIRE(reply.has_value());
  CHECK(reply->status == 202);
}

TEST_CASE("an admin address that is taken is one sentence", "[admin]") {
  const RunningAdmin admin;
  asio::io_context io;
  FakeView view;
  const admin::AdminBind same{.address = *os::parse_socket_address(admin.address())};
  const auto second = admin::AdminServer::create(io, {same}, view);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().find(admin.address()) != std::string::npos);
}

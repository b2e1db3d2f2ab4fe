#include "files/responder.hpp"

#include "files/client.hpp"

namespace penstock::files {

using testing::TemporaryDirectory;

namespace {

struct ResponderRig {
  TemporaryDirectory directory;

  ResponderRig() {
    directory.write("secret", "outside");
    directory.write("www/index.html", "front page");
    directory.write("www/sub/a.txt", "text");
    directory.write("www/empty", "");
    directory.write("www/small", std::string(small_file_bytes_max, 's'));
    directory.write("www/large", std::string(small_file_bytes_max + 1, 'l'));
    std::filesystem::create_symlink("../secret", directory.path() / "www/out");
  }
  Connection connect(const os::SocketOptions& options = {}) const {
    return Connection{site_at(directory / "www"), options};
  }
};

}  // namespace

TEST_CASE("GET gives the file with its head", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  const Response response = connection.ask(get("/index.html?version=1"));
  CHECK(response.status == 200);
  CHECK(response.body == "front page");
  CHECK(response.fields.at("Content-Type") == "text/html; charset=utf-8");
  CHECK(response.fields.at("Cache-Control") == "max-age=3600");
  CHECK(response.fields.at("Server") == "penstock");
  CHECK(response.fields.at("Date").size() == 29);
  CHECK(response.fields.at("Last-Modified").size() == 29);
  CHECK_FALSE(response.fields.contains("Connection"));
}

TEST_CASE("HEAD gives the same head as GET and no body", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  for (const char* path : {"/", "/large", "/missing", "/sub", "/empty"}) {
    CAPTURE(path);
    const Response full = connection.ask(get(path));
    Response head =
        connection.ask("HEAD " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n\r\n", true);
    head.fields["Date"] = full.fields.at("Date");
    CHECK(head.status == full.status);
    CHECK(head.fields == full.fields);
  }
}

TEST_CASE("small, large and empty files arrive whole and are counted by the way they went",
          "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  CHECK(connection.ask(get("/small")).body == std::string(small_file_bytes_max, 's'));
  CHECK(connection.responder().bytes_sent_by_sendfile() == 0);
  CHECK(connection.ask(get("/large")).body == std::string(small_file_bytes_max + 1, 'l'));
  CHECK(connection.responder().bytes_sent_by_sendfile() == small_file_bytes_max + 1);
  CHECK(connection.ask(get("/empty")).body.empty());
  CHECK(connection.responder().bytes_sent_by_copy() > small_file_bytes_max);
  CHECK(connection.responder().bytes_received() ==
        get("/small").size() + get("/large").size() + get("/empty").size());
  CHECK(connection.responder().requests() == 3);
}

TEST_CASE("what is not there, not allowed or named badly is refused, and the connection lives on",
          "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  const struct {
    const char* target;
    int status;
  } rows[] = {
      {"/missing", 404},
      {"/../secret", 403},
      {"/%2e%2e/secret", 403},
      {"/%2E%2e%2fsecret", 403},
      {"/sub/..%2f../secret", 403},
      {"/.%2e/secret", 403},
      {"/out", 403},
      {"//etc/passwd", 404},
      {"/%2fetc/passwd", 404},
      {"/%252e%252e/secret", 404},
      {"/..%5csecret", 404},
      {"/%00", 400},
      {"/index.html%00.txt", 400},
      {"/%zz", 400},
      {"/%", 400},
  };
  for (const auto& row : rows) {
    CAPTURE(row.target);
    const Response response = connection.ask(get(row.target));
    CHECK(response.status == row.status);
    CHECK(response.body.find("outside") == std::string::npos);
    CHECK(response.fields.at("Content-Type") == "text/plain; charset=utf-8");
  }
  CHECK(connection.ask(get("/")).status == 200);
}

TEST_CASE("a directory without its slash is redirected, with the query", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  const Response response = connection.ask(get("/sub?x=1"));
  CHECK(response.status == 301);
  CHECK(response.fields.at("Location") == "/sub/?x=1");
  CHECK(connection.ask(get("//sub")).fields.at("Location") == "/sub/");
}

TEST_CASE("other methods get 405 and hear which are allowed", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  for (const char* line : {"POST /", "DELETE /", "OPTIONS *", "get /"}) {
    CAPTURE(line);
    const Response response =
        connection.ask(std::string{line} + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    CHECK(response.status == 405);
    CHECK(response.fields.at("Allow") == "GET, HEAD");
  }
}

TEST_CASE("a faulty head is answered with its status, and the connection ends", "[files]") {
  const ResponderRig rig;
  const struct {
    std::string request;
    int status;
  } rows[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17'000, 'x') + "\r\n\r\n", 431},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"\x16\x03\x01", 400},
  };
  for (const auto& row : rows) {
    CAPTURE(row.request.substr(0, 60));
    Connection connection = rig.connect();
    connection.send(row.request);
    CHECK(connection.run_on() == Outcome::wait_readable);  // lingers
    CHECK(connection.responder().has_finished_sending());
    std::string text = testing::read_to_end(connection.client());
    const Response response = take_response(text);
    CHECK(text.empty());
    CHECK(response.status == row.status);
    CHECK(response.fields.at("Connection") == "close");
    connection.finish_sending();
    CHECK(connection.run_on() == Outcome::finished);
  }
}

TEST_CASE("a request with a body is refused, and the answer survives the body", "[files]") {
  const ResponderRig rig;
  for (const char* field : {"Content-Length: 300000\r\n", "Transfer-Encoding: chunked\r\n"}) {
    CAPTURE(field);
    Connection connection = rig.connect();
    connection.send(std::string{"POST / HTTP/1.1\r\nHost: a\r\n"} + field + "\r\n");
    CHECK(connection.run_on() == Outcome::wait_readable);
    for (int i = 0; i < 10; ++i) {
      connection.send(std::string(30'000, 'b'));
      CHECK(connection.run_on() == Outcome::wait_readable);
    }
    connection.finish_sending();
    CHECK(connection.run_on() == Outcome::finished);
    std::string text = connection.close_and_read();
    CHECK(take_response(text).status == 413);
    CHECK(text.empty());
  }
}

TEST_CASE("a client that never stops sending a refused body is cut off", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n");
  std::uint64_t sent = 0;
  while (connection.run_on() == Outcome::wait_readable && sent <= 2 * discarded_bytes_max) {
    connection.send(std::string(60'000, 'b'));
    sent += 60'000;
  }
  CHECK(sent >= discarded_bytes_max);
  CHECK(sent < discarded_bytes_max + 120'000);
}

TEST_CASE("pipelined requests are answered in order", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  std::string requests;
  for (int i = 0; i < 200; ++i)
    requests += get("/index.html") + get("/missing") + get("/large") + get("/empty");
  connection.send(requests);
  connection.finish_sending();
  std::string text;
  Outcome outcome = Outcome::hungry;
  while (outcome != Outcome::finished) {
    outcome = connection.run();
    REQUIRE(outcome != Outcome::socket_failed);
    REQUIRE(outcome != Outcome::wait_readable);
    text += connection.read_available();
  }
  text += connection.close_and_read();
  for (int i = 0; i < 200; ++i) {
    REQUIRE(take_response(text).body == "front page");
    REQUIRE(take_response(text).status == 404);
    REQUIRE(take_response(text).body.size() == small_file_bytes_max + 1);
    REQUIRE(take_response(text).body.empty());
  }
  CHECK(text.empty());
  CHECK(connection.responder().requests() == 800);
}

TEST_CASE("a request that comes byte by byte is answered once it is whole", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  const std::string request = get("/index.html");
  for (const char byte : request.substr(0, request.size() - 1)) {
    connection.send({&byte, 1});
    REQUIRE(connection.run() == Outcome::wait_readable);
    REQUIRE_FALSE(connection.responder().is_idle());
    REQUIRE(connection.responder().bytes_sent_by_copy() == 0);
  }
  CHECK(connection.ask(request.substr(request.size() - 1)).body == "front page");
  CHECK(connection.responder().is_idle());
}

TEST_CASE("the connection lives on or ends as version and Connection say", "[files]") {
  const ResponderRig rig;
  const struct {
    const char* version;
    const char* field;
    bool lives;
    const char* answer;
  } rows[] = {
      {"1.1", "", true, ""},
      {"1.1", "Connection: close\r\n", false, "close"},
      {"1.0", "", false, "close"},
      {"1.0", "Connection: keep-alive\r\n", true, "keep-alive"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.version, row.field);
    Connection connection = rig.connect();
    const Response response = connection.ask(std::string{"GET / HTTP/"} + row.version +
                                             "\r\nHost: a\r\n" + row.field + "\r\n");
    CHECK(response.status == 200);
    const auto answer = response.fields.find("Connection");
    CHECK((answer == response.fields.end() ? "" : answer->second) == row.answer);
    CHECK(connection.responder().has_finished_sending() != row.lives);
    if (row.lives) {
      CHECK(connection.ask(get("/")).status == 200);
    } else {
      CHECK(testing::read_to_end(connection.client()).empty());
      connection.finish_sending();
      CHECK(connection.run() == Outcome::finished);
    }
  }
}

TEST_CASE("a FIN right behind a request does not cost the answer", "[files]") {
  const ResponderRig rig;
  for (const char* path : {"/index.html", "/large"}) {
    Connection connection = rig.connect();
    connection.send(get(path));
    connection.finish_sending();
    CHECK(connection.run_on() == Outcome::finished);
    std::string text = connection.close_and_read();
    CHECK(take_response(text).status == 200);
    CHECK(text.empty());
  }
}

TEST_CASE("a FIN without a request, or inside one, finishes without an answer", "[files]") {
  const ResponderRig rig;
  for (const char* part : {"", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n"}) {
    CAPTURE(part);
    Connection connection = rig.connect();
    connection.send(part);
    connection.finish_sending();
    CHECK(connection.run_on() == Outcome::finished);
    CHECK(connection.close_and_read().empty());
  }
}

TEST_CASE("a client that resets the connection is failed", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  REQUIRE(connection.run() == Outcome::wait_readable);
  connection.reset_client();
  connection.await_events(POLLHUP);
  CHECK(connection.run() == Outcome::socket_failed);
}

TEST_CASE("a connection that is to end says so with the last answer to what came", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  CHECK(connection.ask(get("/")).status == 200);
  connection.responder().end_with_next_answer();
  connection.send(get("/") + get("/small"));
  CHECK(connection.run_on() == Outcome::wait_readable);
  std::string text = connection.read_available();
  CHECK(take_response(text).fields.count("Connection") == 0);
  CHECK(take_response(text).fields.at("Connection") == "close");
  CHECK(connection.responder().has_finished_sending());
}

TEST_CASE("the beginning of a head is known until the head has ended", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  CHECK(connection.run() == Outcome::wait_readable);
  CHECK(connection.responder().head_began() == base::never);
  connection.send("GET / HTTP/1.1\r\n");
  CHECK(connection.run() == Outcome::wait_readable);
  const base::Instant began = connection.responder().head_began();
  CHECK(began <= os::now());
  connection.send("Host: a\r\n");
  CHECK(connection.run() == Outcome::wait_readable);
  CHECK(connection.responder().head_began() == began);
  connection.send("\r\n");
  CHECK(connection.run_on() == Outcome::wait_readable);
  CHECK(connection.responder().head_began() == base::never);
}

TEST_CASE("a small budget makes the responder hungry, not wrong", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  connection.send(get("/large") + get("/small"));
  std::string text;
  int hungry = 0;
  while (connection.run(100) == Outcome::hungry) {
    ++hungry;
    text += connection.read_available();
  }
  text += connection.read_available();
  CHECK(hungry > 100);
  CHECK(take_response(text).body == std::string(small_file_bytes_max + 1, 'l'));
  CHECK(take_response(text).body == std::string(small_file_bytes_max, 's'));
}

TEST_CASE("pipelined tiny requests use up the budget by their number", "[files]") {
  const ResponderRig rig;
  Connection connection = rig.connect();
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += get("/empty");
  connection.send(requests);
  CHECK(connection.run(10 * request_cost_bytes) == Outcome::hungry);
  CHECK(connection.responder().requests() <= 11);
}

}  // namespace penstock::files

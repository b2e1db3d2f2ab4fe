#include "health/check.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "catch.hpp"
#include "health/link.hpp"
#include "health/peer.hpp"
#include "health/tls.hpp"

using namespace penstock;
using testing::Peer;
using upstream::CheckOutcome;
using upstream::CheckResult;
using upstream::CheckType;
using upstream::HealthSpec;

namespace {

HealthSpec spec_of(CheckType type) {
  HealthSpec spec;
  spec.type = type;
  spec.timeout = std::chrono::seconds{4};
  return spec;
}

HealthSpec impatient(CheckType type) {
  HealthSpec spec = spec_of(type);
  spec.timeout = std::chrono::milliseconds{100};
  spec.expect = "+PONG";
  return spec;
}

HealthSpec asking_redis() {
  HealthSpec spec = spec_of(CheckType::send_expect);
  spec.send = "PING\r\n";
  spec.expect = "+PONG\r\n";
  return spec;
}

CheckOutcome check(const os::SocketAddress& address, const HealthSpec& spec) {
  boost::asio::io_context io;
  health::HealthTls tls;
  CheckOutcome outcome{CheckResult::other, "the check did not end"};
  boost::asio::co_spawn(
      io,
      health::check_health(std::make_shared<health::HealthLink>(io.get_executor()),
                           std::make_shared<const HealthSpec>(spec),
                           health::checked_address(address, spec), tls),
      [&](const std::exception_ptr&, CheckOutcome ended) { outcome = std::move(ended); });
  io.run();
  return outcome;
}

// What an endpoint that answers `answer` to a GET is taken for.
CheckOutcome check_http(const std::string& answer, const HealthSpec& spec) {
  const Peer peer{[&](int socket) {
    testing::read_until(socket, "\r\n\r\n");
    testing::send_all(socket, answer);
  }};
  return check(peer.address(), spec);
}

CheckOutcome check_http(const std::string& answer) {
  return check_http(answer, spec_of(CheckType::http));
}

std::string request_from(const HealthSpec& spec, const char* address) {
  return health::health_request(spec, *os::parse_socket_address(address));
}

// Takes connections and never says a word, like a process that was stopped: the kernel does it.
struct Silent {
  os::Fd listener = testing::listen_at(testing::loopback_v4());
  os::SocketAddress address = testing::address_of(listener.get());
};

}  // namespace

TEST_CASE("a port where nobody listens is refused", "[health]") {
  const CheckOutcome outcome = check(testing::refusing_address(), spec_of(CheckType::tcp));
  CHECK(outcome.result == CheckResult::refused);
  CHECK(outcome.why == "connection refused");
}

TEST_CASE("an endpoint that takes connections passes a tcp check, even if it never answers",
          "[health]") {
  const Silent silent;
  const CheckOutcome outcome = check(silent.address, impatient(CheckType::tcp));
  CHECK(outcome.result == CheckResult::passed);
  CHECK(outcome.why == "connected");
}

TEST_CASE("an endpoint that never answers is timed out by every other check", "[health]") {
  const auto type = GENERATE(CheckType::send_expect, CheckType::http, CheckType::tls);
  const Silent silent;
  const CheckOutcome outcome = check(silent.address, impatient(type));
  CHECK(outcome.result == CheckResult::timeout);
  CHECK(outcome.why == "no answer within 100ms");
}

TEST_CASE("a listener whose queue is full is timed out", "[health]") {
  os::ListenOptions one_place;
  one_place.backlog = 0;
  const os::Fd listener = *os::listen_on(testing::loopback_v4(), one_place, {});
  const os::SocketAddress address = testing::address_of(listener.get());
  const os::Fd occupant = testing::dial(address);
  const CheckOutcome outcome = check(address, impatient(CheckType::tcp));
  CHECK(outcome.result == CheckResult::timeout);
}

TEST_CASE("the timeout bounds an answer that comes drop by drop", "[health]") {
  const Peer peer{[](int socket) {
    while (true) {
      testing::send_all(socket, ".");
      testing::await_events(socket, POLLHUP, 10);
    }
  }};
  const CheckOutcome outcome = check(peer.address(), impatient(CheckType::send_expect));
  CHECK(outcome.result == CheckResult::wrong_answer);
  CHECK(outcome.why.starts_with("not the expected answer within 100ms; it said '."));
}

TEST_CASE("unix sockets are checked as well", "[health]") {
  const testing::TemporaryDirectory directory;
  const auto address = os::SocketAddress::unix_path(directory / "socket");
  const CheckOutcome absent = check(address, spec_of(CheckType::tcp));
  CHECK(absent.result == CheckResult::refused);
  CHECK(absent.why == "no such file or directory");
  const Peer peer{[](int socket) {
                    testing::read_until(socket, "\r\n");
                    testing::send_all(socket, "+PONG\r\n");
                  },
                  address};
  CHECK(check(address, asking_redis()).result == CheckResult::passed);
}

TEST_CASE("a unix socket whose queue is full refuses", "[health]") {
  const testing::TemporaryDirectory directory;
  const auto address = os::SocketAddress::unix_path(directory / "socket");
  os::ListenOptions one_place;
  one_place.backlog = 0;
  const os::Fd listener = *os::listen_on(address, one_place, {});
  const os::Fd occupant = testing::dial(address);
  const CheckOutcome outcome = check(address, spec_of(CheckType::tcp));
  CHECK(outcome.result == CheckResult::refused);
  CHECK(outcome.why == "its accept queue is full");
}

TEST_CASE("an answer is found wherever it was cut", "[health]") {
  std::string asked;
  {
    const Peer peer{[&](int socket) {
      asked = testing::read_until(socket, "\r\n");
      testing::send_all(socket, "-some words before +PO");
      testing::await_events(socket, POLLHUP, 20);
      testing::send_all(socket, "NG\r");
      testing::await_events(socket, POLLHUP, 20);
      testing::send_all(socket, "\nand after");
    }};
    const CheckOutcome outcome = check(peer.address(), asking_redis());
    CHECK(outcome.result == CheckResult::passed);
    CHECK(outcome.why == "answered as expected");
  }
  CHECK(asked == "PING\r\n");
}

TEST_CASE("a greeting is expected without a word", "[health]") {
  HealthSpec spec = spec_of(CheckType::send_expect);
  spec.expect = "220 ";
  const Peer peer{[](int socket) { testing::send_all(socket, "220 mail.example ESMTP\r\n"); }};
  CHECK(check(peer.address(), spec).result == CheckResult::passed);
}

TEST_CASE("an endpoint that says something else and closes gave a wrong answer", "[health]") {
  const Peer peer{[](int socket) {
    testing::read_until(socket, "\r\n");
    testing::send_all(socket, "-NOAUTH\r\n");
  }};
  const CheckOutcome outcome = check(peer.address(), asking_redis());
  CHECK(outcome.result == CheckResult::wrong_answer);
  CHECK(outcome.why == R"(closed without the answer; it had said '-NOAUTH\r\n')");
}

TEST_CASE("64 KiB without what was expected are a wrong answer", "[health]") {
  const Peer peer{[](int socket) { testing::send_all(socket, std::string(80 * 1024, 'x')); }};
  HealthSpec spec = spec_of(CheckType::send_expect);
  spec.expect = "y";
  const CheckOutcome outcome = check(peer.address(), spec);
  CHECK(outcome.result == CheckResult::wrong_answer);
  CHECK(outcome.why ==
        "64 KiB came without what was expected; they begin with '" + std::string(48, 'x') + "...'");
}

TEST_CASE("an endpoint that resets is told from one that closes", "[health]") {
  const Peer peer{[](int socket) {
    testing::read_until(socket, "\r\n");
    os::reset_on_close(socket);
  }};
  const CheckOutcome outcome = check(peer.address(), asking_redis());
  CHECK(outcome.result == CheckResult::reset);
  CHECK(outcome.why == "connection reset by peer");
}

TEST_CASE("a status within the ranges passes, any other is a wrong answer", "[health]") {
  CHECK(check_http("HTTP/1.1 200 OK\r\n\r\n").result == CheckResult::passed);
  CHECK(check_http("HTTP/1.1 399 Odd\r\n\r\n").result == CheckResult::passed);
  const CheckOutcome outcome = check_http("HTTP/1.1 503 Service Unavailable\r\n\r\n");
  CHECK(outcome.result == CheckResult::wrong_answer);
  CHECK(outcome.why == "HTTP status 503");
  HealthSpec spec = spec_of(CheckType::http);
  spec.status = {{204, 204}, {401, 403}};
  CHECK(check_http("HTTP/1.1 402 Payment Required\r\n\r\n", spec).result == CheckResult::passed);
  CHECK(check_http("HTTP/1.1 200 OK\r\n\r\n", spec).result == CheckResult::wrong_answer);
}

TEST_CASE("who speaks no HTTP gave a wrong answer", "[health]") {
  const CheckOutcome outcome = check_http("SSH-2.0-OpenSSH_9.2");
  CHECK(outcome.result == CheckResult::wrong_answer);
  CHECK(outcome.why == "the answer is not HTTP/1: 'SSH-2.0-OpenSSH_9.2'");
}

TEST_CASE("interim answers are passed over, and the final one decides", "[health]") {
  const std::string interim =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\n\n";
  CHECK(check_http(interim + "HTTP/1.1 200 OK\r\n\r\n").result == CheckResult::passed);
  CHECK(check_http(interim + "HTTP/1.1 500 No\r\n\r\n").why == "HTTP status 500");
  const CheckOutcome alone = check_http(interim);
  CHECK(alone.result == CheckResult::wrong_answer);
  CHECK(alone.why.starts_with("closed without the answer; it had said 'HTTP/1.1 103 Early"));
  CHECK(check_http("HTTP/1.1 101 Switching Protocols\r\n\r\n").why == "HTTP status 101");
}

TEST_CASE("an endpoint that says something else and stays is not called silent", "[health]") {
  const Peer peer{[](int socket) {
    testing::read_until(socket, "\r\n");
    testing::send_all(socket, "-NOAUTH Authentication required.\r\n");
    testing::read_to_end(socket);
  }};
  HealthSpec spec = asking_redis();
  spec.timeout = std::chrono::milliseconds{100};
  const CheckOutcome outcome = check(peer.address(), spec);
  CHECK(outcome.result == CheckResult::wrong_answer);
  CHECK(outcome.why ==
        R"(not the expected answer within 100ms; it said '-NOAUTH Authentication required.\r\n')");
}

TEST_CASE("the request names path and host, by default the address", "[health]") {
  HealthSpec spec = spec_of(CheckType::http);
  CHECK(request_from(spec, "10.0.0.1:80") ==
        "GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: penstock-health-check\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n");
  CHECK(request_from(spec, "[::1]:80").find("Host: [::1]:80\r\n") != std::string::npos);
  CHECK(request_from(spec, "[fe80::1%1]:80").find("Host: [fe80::1]:80\r\n") != std::string::npos);
  CHECK(request_from(spec, "unix:/s").find("Host: localhost\r\n") != std::string::npos);
  spec.path = "/live?full=1";
  spec.host = "app.example";
  CHECK(request_from(spec, "10.0.0.1:80").starts_with("GET /live?full=1 HTTP/1.1\r\nHost: app.ex"));
}

TEST_CASE("a PROXY header goes before everything else", "[health]") {
  std::string seen;
  HealthSpec spec = spec_of(CheckType::http);
  spec.proxy_v2 = true;
  {
    const Peer peer{[&](int socket) {
      seen = testing::read_until(socket, "close\r\n\r\n");
      testing::send_all(socket, "HTTP/1.1 200 OK\r\n\r\n");
    }};
    CHECK(check(peer.address(), spec).result == CheckResult::passed);
  }
  CHECK(seen.substr(0, 16) == std::string{"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16});
  CHECK(seen.substr(16, 6) == "GET / ");
}

TEST_CASE("a check of type tcp sends the PROXY header and nothing more", "[health]") {
  std::string seen;
  HealthSpec spec = spec_of(CheckType::tcp);
  spec.proxy_v2 = true;
  {
    std::atomic<bool> ended{false};
    const Peer peer{[&](int socket) {
      seen = testing::read_to_end(socket);
      ended = true;
    }};
    CHECK(check(peer.address(), spec).result == CheckResult::passed);
    REQUIRE(testing::await_fact([&] { return ended.load(); }));
  }
  CHECK(seen.size() == 16);
}

TEST_CASE("another port can be checked than that of the endpoint", "[health]") {
  const Silent silent;
  HealthSpec spec = spec_of(CheckType::tcp);
  spec.port = silent.address.ip().port;
  CHECK(check(testing::refusing_address(), spec).result == CheckResult::passed);
  const auto path = os::SocketAddress::unix_path("/s");
  CHECK(health::checked_address(path, spec) == path);
}

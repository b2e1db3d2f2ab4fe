#include "wire/http_request.hpp"

#include <random>
#include <string>
#include <vector>

#include "catch.hpp"

namespace penstock::wire {

namespace {

using Progress = HttpRequestParser::Progress;
using Version = HttpRequest::Version;

// 0: complete; -1: incomplete; else the status of the fault.
int verdict(HttpRequestParser& parser, std::string_view bytes) {
  switch (parser.parse(bytes)) {
    case Progress::complete: return 0;
    case Progress::incomplete: return -1;
    case Progress::bad: return parser.status();
  }
  return -2;
}

int verdict(std::string_view bytes) {
  HttpRequestParser parser;
  return verdict(parser, bytes);
}

// Gives the bytes in two parts, cut at `cut`.
int verdict_of_two(std::string_view bytes, std::size_t cut) {
  HttpRequestParser parser;
  const int first = verdict(parser, bytes.substr(0, cut));
  return first == -1 ? verdict(parser, bytes) : first;
}

int verdict_byte_by_byte(std::string_view bytes) {
  HttpRequestParser parser;
  int result = -1;
  for (std::size_t size = 0; size <= bytes.size() && result == -1; ++size)
    result = verdict(parser, bytes.substr(0, size));
  return result;
}

std::string get_with(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

struct Case {
  std::string bytes;
  int expected;
};

std::vector<Case> request_line_cases() {
  using namespace std::string_literals;
  return {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"GET / HTTP/1.0\r\n\r\n", 0},
      {"\r\nGET / HTTP/1.0\r\n\r\n", 0},
      {"GET / HTTP/1.9\r\nHost: a\r\n\r\n", 0},
      {"GET http://a:80/x HTTP/1.1\r\nHost: b\r\n\r\n", 0},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"GET / HTTP/1.1\r\nHost: a\r\n", -1},
      // The request line.
      {"\r\n\r\nGET / HTTP/1.0\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"G\tT / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/11\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/0.9\r\n\r\n", 505},
      {"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"GET http HTTP/1.0\r\n\r\n", 400},   // a scheme alone is no absolute target
      {"GET HTTPS HTTP/1.0\r\n\r\n", 400},  // found by fuzzing
      {std::string(33, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"\x16\x03\x01\x02\x00\x01"s, 400},
  };
}

std::vector<Case> field_cases() {
  using namespace std::string_literals;
  return {
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {get_with("X: a\rb\r\n"), 400},
      {get_with("X: a\0b\r\n"s), 400},
      {get_with("X: a\x7f\r\n"), 400},
      {get_with("X: a\r\n b\r\n"), 400},
      {get_with("X: a\r\n\tb\r\n"), 400},
      {get_with("X : a\r\n"), 400},
      {get_with(": a\r\n"), 400},
      {get_with("X\r\n"), 400},
      {get_with("X y: a\r\n"), 400},
      {get_with("X:\r\n"), 0},
      {get_with("X: \xc3\xa4\ta \r\n"), 0},
      // Host.
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
      {get_with("Host: a\r\n"), 400},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
      // Where the request ends.
      {get_with("Content-Length: 5\r\n"), 0},
      {get_with("Content-Length: 5\r\nContent-Length: 5\r\n"), 0},
      {get_with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {get_with("Content-Length: 5, 5\r\n"), 400},
      {get_with("Content-Length: +5\r\n"), 400},
      {get_with("Content-Length: -5\r\n"), 400},
      {get_with("Content-Length: 0x5\r\n"), 400},
      {get_with("Content-Length:\r\n"), 400},
      {get_with("Content-Length: 99999999999999999999\r\n"), 400},
      {get_with("Transfer-Encoding: Chunked\r\n"), 0},
      {get_with("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {get_with("Transfer-Encoding: xchunked\r\n"), 501},
      {get_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {get_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {get_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
  };
}

std::vector<Case> cases() {
  std::vector<Case> all = request_line_cases();
  for (const Case& one : field_cases()) all.push_back(one);
  return all;
}

}  // namespace

TEST_CASE("every request head of the table gets its verdict", "[wire]") {
  for (const auto& [bytes, expected] : cases()) {
    CAPTURE(bytes);
    CHECK(verdict(bytes) == expected);
  }
}

TEST_CASE("the verdict does not depend on where the bytes were cut", "[wire]") {
  for (const auto& [bytes, expected] : cases()) {
    CAPTURE(bytes);
    CHECK(verdict_byte_by_byte(bytes) == expected);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
      REQUIRE(verdict_of_two(bytes, cut) == expected);
  }
}

TEST_CASE("a complete head gives its parts", "[wire]") {
  const std::string bytes =
      "GET /a%20b/c?x=1?y HTTP/1.1\r\nhOsT:\t example.com:8080 \r\n"
      "Content-Length: 7\r\nAccept: */*\r\n\r\nthe body";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    HttpRequestParser parser;
    parser.parse(std::string_view{bytes}.substr(0, cut));
    REQUIRE(parser.parse(bytes) == Progress::complete);
    const HttpRequest& request = parser.request();
    REQUIRE(request.method == "GET");
    REQUIRE(request.path == "/a%20b/c");
    REQUIRE(request.query == "x=1?y");
    REQUIRE(request.has_query);
    REQUIRE(request.host == "example.com:8080");
    REQUIRE(request.version == Version::http_1_1);
    REQUIRE(request.content_length == 7);
    REQUIRE(request.has_body());
    REQUIRE(bytes.substr(request.head_bytes) == "the body");
  }
}

TEST_CASE("an absolute target gives its host and path", "[wire]") {
  HttpRequestParser parser;
  REQUIRE(parser.parse("GET HTTP://one:81?q HTTP/1.1\r\nHost: two\r\n\r\n") == Progress::complete);
  CHECK(parser.request().host == "one:81");
  CHECK(parser.request().path == "/");
  CHECK(parser.request().query == "q");
}

TEST_CASE("keep-alive follows the version and the Connection fields", "[wire]") {
  struct Row {
    const char* version;
    const char* fields;
    bool expected;
  };
  const Row rows[] = {
      {"1.1", "", true},
      {"1.0", "", false},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: Close\r\n", false},
      {"1.1", "Connection: upgrade , close\r\n", false},
      {"1.1", "Connection: closed\r\n", true},
      {"1.0", "Connection: keep-alive\r\n", true},
      {"1.0", "Connection: foo,Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"1.1", "Connection: keep-alive, close\r\n", false},
      {"1.1", "Connection: ,,\r\n", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.version, row.fields);
    HttpRequestParser parser;
    const std::string bytes =
        std::string{"GET / HTTP/"} + row.version + "\r\nHost: a\r\n" + row.fields + "\r\n";
    REQUIRE(parser.parse(bytes) == Progress::complete);
    CHECK(parser.request().keep_alive == row.expected);
  }
}

TEST_CASE("fields that wish for something are given as they came, and not if they came twice",
          "[wire]") {
  HttpRequestParser parser;
  REQUIRE(verdict(parser,
                  "GET / HTTP/1.1\r\nHost: a\r\nRANGE: bytes=0-1 \r\nIf-Range: \"x\"\r\n"
                  "if-none-match: \"a\", W/\"b\"\r\nIf-Match: *\r\nIf-Modified-Since: now\r\n"
                  "If-Unmodified-Since: then\r\nAccept-Encoding: gzip\r\n\r\n") == 0);
  const HttpRequest& request = parser.request();
  CHECK(request.range == "bytes=0-1");
  CHECK(request.if_range == "\"x\"");
  CHECK(request.if_none_match == "\"a\", W/\"b\"");
  CHECK(request.if_match == "*");
  CHECK(request.if_modified_since == "now");
  CHECK(request.if_unmodified_since == "then");
  CHECK(request.accept_encoding == "gzip");
  HttpRequestParser twice;
  REQUIRE(verdict(twice,
                  "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n"
                  "Range: bytes=2-3\r\nRange: bytes=4-5\r\n\r\n") == 0);
  CHECK(twice.request().range.empty());
}

TEST_CASE("a request line may fill its limit and not more", "[wire]") {
  const std::string frame = "GET / HTTP/1.0\r\n";
  const std::string fits =
      "GET /" + std::string(http_request_line_bytes_max - frame.size(), 'a') + " HTTP/1.0\r\n\r\n";
  const std::string too_long = "GET /a" + fits.substr(5);
  CHECK(verdict(fits) == 0);
  CHECK(verdict(too_long) == 414);
  CHECK(verdict_byte_by_byte(fits) == 0);
  CHECK(verdict_byte_by_byte(too_long) == 414);
  CHECK(verdict(std::string_view{too_long}.substr(0, http_request_line_bytes_max)) == 414);
}

TEST_CASE("a head may fill its limit and not more", "[wire]") {
  const std::string start = "GET / HTTP/1.0\r\nX: ";
  const std::string fits =
      start + std::string(http_head_bytes_max - start.size() - 4, 'a') + "\r\n\r\n";
  const std::string too_large = start + "a" + fits.substr(start.size());
  CHECK(fits.size() == http_head_bytes_max);
  CHECK(verdict(fits) == 0);
  CHECK(verdict(too_large) == 431);
  CHECK(verdict_byte_by_byte(fits) == 0);
  CHECK(verdict_byte_by_byte(too_large) == 431);
  CHECK(verdict(std::string_view{too_large}.substr(0, http_head_bytes_max)) == 431);
}

TEST_CASE("more fields than the limit are too many", "[wire]") {
  std::string fields;
  for (int i = 0; i < http_fields_max - 1; ++i) fields += "X: y\r\n";  // Host is one more
  CHECK(verdict(get_with(fields)) == 0);
  CHECK(verdict(get_with(fields + "X: y\r\n")) == 431);
}

TEST_CASE("a reset parser reads the next request", "[wire]") {
  const std::string bytes = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.0\r\n\r\n";
  HttpRequestParser parser;
  REQUIRE(parser.parse(bytes) == Progress::complete);
  CHECK(parser.request().path == "/1");
  const std::string_view rest = std::string_view{bytes}.substr(parser.request().head_bytes);
  parser.reset();
  REQUIRE(parser.parse(rest) == Progress::complete);
  CHECK(parser.request().method == "HEAD");
  CHECK(parser.request().path == "/2");
  CHECK(parser.request().head_bytes == rest.size());
}

TEST_CASE("random bytes never disturb the parser, however they are cut", "[wire]") {
  std::mt19937 random{7};
  const std::string_view pieces[] = {
      "GET ", "/", " HTTP/1.1",         "\r\n", "Host: a", "\r",   "\n",
      " ",    ":", "Content-Length: 1", "\t",   "%",       "\x80", "Connection: close"};
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    const auto count = random() % 14;
    for (unsigned i = 0; i < count; ++i) bytes += pieces[random() % std::size(pieces)];
    CAPTURE(bytes);
    const int whole = verdict(bytes);
    REQUIRE(verdict_byte_by_byte(bytes) == whole);
    REQUIRE(verdict_of_two(bytes, random() % (bytes.size() + 1)) == whole);
  }
}

TEST_CASE("percent-decoding resolves each escape once and refuses broken ones", "[wire]") {
  using namespace std::string_literals;
  CHECK(percent_decode("/a%20b") == "/a b");
  CHECK(percent_decode("%2e%2E%2f") == "../");
  CHECK(percent_decode("%252e") == "%2e");
  CHECK(percent_decode("a+b") == "a+b");
  CHECK(percent_decode("%ff") == "\xff");
  CHECK(percent_decode("") == "");
  for (const auto& bad : {"%"s, "a%2"s, "%zz"s, "%2g"s, "%g2"s, "%00"s, "a\0b"s, "%-1"s, "%+1"s}) {
    CAPTURE(bad);
    CHECK_FALSE(percent_decode(bad).has_value());
  }
}

TEST_CASE("every byte of a path survives encoding and decoding", "[wire]") {
  std::string path = "/";
  for (int byte = 1; byte < 256; ++byte) path += static_cast<char>(byte);
  const std::string encoded = percent_encode_path(path);
  CHECK(percent_decode(encoded) == path);
  CHECK(percent_encode_path("/a b\r\n?#\\~") == "/a%20b%0D%0A%3F%23%5C~");
}

}  // namespace penstock::wire

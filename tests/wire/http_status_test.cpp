#include "wire/http_status.hpp"

#include <string>

#include "catch.hpp"

using namespace penstock::wire;
using StatusProgress = HttpStatusLine::Progress;

namespace {

StatusProgress progress_of(std::string_view bytes) {
  return parse_http_status(bytes).progress;
}

}  // namespace

TEST_CASE("a status line gives its number", "[wire]") {
  CHECK(parse_http_status("HTTP/1.1 200 OK\r\n").status == 200);
  CHECK(parse_http_status("HTTP/1.0 503 Service Unavailable\r\nA: b\r\n\r\n").status == 503);
  CHECK(parse_http_status("HTTP/1.1 204 \r\n").status == 204);
  CHECK(parse_http_status("HTTP/1.1 204\r\n").status == 204);
  CHECK(parse_http_status("HTTP/1.1 301 Moved\n").status == 301);
  CHECK(parse_http_status("HTTP/1.1 999\n").status == 999);
}

TEST_CASE("a status line means the same however it is cut", "[wire]") {
  const std::string line = "HTTP/1.1 418 I'm a teapot\r\n";
  for (std::size_t end = 0; end < line.size(); ++end)
    CHECK(parse_http_status(line.substr(0, end)) == HttpStatusLine{});
  CHECK(parse_http_status(line) == HttpStatusLine{StatusProgress::complete, 418});
}

TEST_CASE("what is no HTTP/1 answer is seen at its first wrong byte", "[wire]") {
  for (const char* bytes :
       {"S", "SSH-2.0-OpenSSH", "HTTP/2", "HTTP/1.x", "HTTP/1.1  ", "HTTP/1.1 0", "HTTP/1.1 2x",
        "HTTP/1.1 2000", "HTTP/1.1 200OK", "HTTP/1.1\r", "\r\nHTTP/1.1 200 OK\r\n", "http/1.1",
        "+PONG\r\n", "\x15\x03\x01"}) {
    INFO(bytes);
    CHECK(progress_of(bytes) == StatusProgress::bad);
  }
}

TEST_CASE("a status line without an end is given up", "[wire]") {
  std::string line = "HTTP/1.1 200 ";
  line.resize(http_status_line_bytes_max - 1, 'x');
  CHECK(progress_of(line) == StatusProgress::incomplete);
  CHECK(progress_of(line + "x") == StatusProgress::bad);
  CHECK(progress_of(line + "x\n") == StatusProgress::bad);
  CHECK(progress_of(line + "\n") == StatusProgress::complete);
}

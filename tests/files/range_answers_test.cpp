// Ranges, conditions and compressed forms as a client meets them.

#include <filesystem>

#include "files/client.hpp"

namespace penstock::files {

namespace {

std::string numbers(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ' ';
  text.resize(bytes);
  return text;
}

const std::string large = numbers(200'000);

struct RangeRig {
  testing::TemporaryDirectory directory;
  RangeRig() {
    directory.write("digits.txt", "0123456789");
    directory.write("large.txt", large);
    directory.write("empty", "");
    directory.write("page.html", "<p>hello</p>");
    directory.write("page.html.gz", "GZ");
    directory.write("page.html.zst", "ZSTD");
  }
  Connection connect() const { return Connection{site_at(directory.path())}; }
};

}  // namespace

TEST_CASE("one range is a 206 with its place, small by copy and large by sendfile", "[files]") {
  const RangeRig rig;
  Connection connection = rig.connect();
  const Response small = connection.ask(get("/digits.txt", "Range: bytes=2-4\r\n"));
  CHECK(small.status == 206);
  CHECK(small.body == "234");
  CHECK(small.fields.at("Content-Range") == "bytes 2-4/10");
  CHECK(small.fields.at("Content-Type") == "text/plain; charset=utf-8");
  CHECK(connection.ask(get("/digits.txt", "Range: bytes=-1\r\n")).body == "9");
  const Response rest = connection.ask(get("/large.txt", "Range: bytes=100000-\r\n"));
  CHECK(rest.body == large.substr(100'000));
  CHECK(connection.responder().bytes_sent_by_sendfile() == 100'000);
  CHECK(connection.ask(get("/digits.txt")).fields.at("Accept-Ranges") == "bytes");
}

TEST_CASE("several ranges are parts of one message, in their order", "[files]") {
  const RangeRig rig;
  Connection connection = rig.connect();
  const Response answer =
      connection.ask(get("/large.txt", "Range: bytes=150000-199999,0-9, -5\r\n"));
  CHECK(answer.status == 206);
  const std::string& type = answer.fields.at("Content-Type");
  REQUIRE(type.starts_with("multipart/byteranges; boundary="));
  const std::string mark = "--" + type.substr(type.find('=') + 1);
  const auto part = [&](const std::string& place, const std::string& content) {
    return mark + "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes " + place +
           "/200000\r\n\r\n" + content + "\r\n";
  };
  CHECK(answer.body == part("150000-199999", large.substr(150'000)) +
                           part("0-9", large.substr(0, 10)) +
                           part("199995-199999", large.substr(199'995)) + mark + "--\r\n");
  CHECK(connection.ask(get("/digits.txt")).body == "0123456789");  // the connection lives on
}

TEST_CASE("a range outside of the file is a 416 that says how long it is", "[files]") {
  const RangeRig rig;
  Connection connection = rig.connect();
  const Response answer = connection.ask(get("/digits.txt", "Range: bytes=10-\r\n"));
  CHECK(answer.status == 416);
  CHECK(answer.fields.at("Content-Range") == "bytes */10");
  CHECK(connection.ask(get("/empty", "Range: bytes=0-0\r\n")).status == 416);
  CHECK(connection.ask(get("/digits.txt", "Range: bytes=5-1\r\n")).status == 200);
  CHECK(connection.ask(get("/digits.txt", "Range: bytes=0-1\r\nRange: bytes=2-3\r\n")).status ==
        200);
  const std::string head = "HEAD /digits.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n";
  CHECK(connection.ask(head, true).status == 200);
}

TEST_CASE("who has the file already gets a 304 without a body", "[files]") {
  const RangeRig rig;
  Connection connection = rig.connect();
  const Response full = connection.ask(get("/digits.txt"));
  const std::string tag = full.fields.at("ETag");
  for (const std::string& condition :
       {"If-None-Match: " + tag, "If-None-Match: W/" + tag, std::string{"If-None-Match: *"},
        "If-Modified-Since: " + full.fields.at("Last-Modified")}) {
    CAPTURE(condition);
    const Response answer = connection.ask(get("/digits.txt", condition + "\r\n"));
    CHECK(answer.status == 304);
    CHECK(answer.fields.at("ETag") == tag);
    CHECK(answer.fields.contains("Cache-Control"));
    CHECK_FALSE(answer.fields.contains("Content-Length"));
  }
  CHECK(connection.ask(get("/digits.txt", "If-None-Match: \"x\"\r\n")).status == 200);
  CHECK(connection.ask(get("/digits.txt", "If-Match: \"x\"\r\n")).status == 412);
  CHECK(connection.ask(get("/digits.txt", "If-Match: " + tag + "\r\n")).status == 200);
}

TEST_CASE("If-Range continues a download, or begins it again", "[files]") {
  const RangeRig rig;
  Connection connection = rig.connect();
  const Response full = connection.ask(get("/digits.txt"));
  const auto with = [&](const std::string& validator) {
    return connection.ask(get("/digits.txt", "Range: bytes=5-\r\nIf-Range: " + validator + "\r\n"));
  };
  CHECK(with(full.fields.at("ETag")).body == "56789");
  CHECK(with(full.fields.at("Last-Modified")).body == "56789");
  CHECK(with("\"another\"").body == "0123456789");
  CHECK(with("W/" + full.fields.at("ETag")).status == 200);
}

TEST_CASE("a compressed form goes to whom it suits, with its own tag and its ranges", "[files]") {
  const RangeRig rig;
  Connection connection = rig.connect();
  const Response plain = connection.ask(get("/page.html"));
  CHECK(plain.body == "<p>hello</p>");
  CHECK(plain.fields.at("Vary") == "Accept-Encoding");
  CHECK_FALSE(plain.fields.contains("Content-Encoding"));
  const Response gzip = connection.ask(get("/page.html", "Accept-Encoding: gzip\r\n"));
  CHECK(gzip.body == "GZ");
  CHECK(gzip.fields.at("Content-Encoding") == "gzip");
  CHECK(gzip.fields.at("Content-Type") == "text/html; charset=utf-8");
  CHECK(gzip.fields.at("Vary") == "Accept-Encoding");
  CHECK(gzip.fields.at("ETag") != plain.fields.at("ETag"));
  CHECK(connection.ask(get("/page.html", "Accept-Encoding: gzip, zstd\r\n")).body == "ZSTD");
  CHECK(connection.ask(get("/page.html", "Accept-Encoding: gzip\r\nRange: bytes=1-\r\n")).body ==
        "Z");
  CHECK(connection
            .ask(get("/page.html",
                     "Accept-Encoding: gzip\r\nIf-None-Match: " + gzip.fields.at("ETag") + "\r\n"))
            .status == 304);
  CHECK_FALSE(connection.ask(get("/digits.txt")).fields.contains("Vary"));
}

TEST_CASE("parts of a file that becomes shorter end the connection", "[files]") {
  const RangeRig rig;
  Connection connection = rig.connect();
  CHECK(connection.ask(get("/large.txt", "Range: bytes=0-1\r\n")).body == large.substr(0, 2));
  std::filesystem::resize_file(rig.directory / "large.txt", 1000);
  connection.send(get("/large.txt", "Range: bytes=0-9,100000-150000\r\n"));
  CHECK(connection.run_on() == Outcome::file_failed);
}

TEST_CASE("a request that does not end in time is answered by 408", "[files]") {
  const RangeRig rig;
  Connection connection = rig.connect();
  CHECK_FALSE(connection.responder().give_up_waiting());
  connection.send("GET /digits");
  REQUIRE(connection.run_on() == Outcome::wait_readable);
  REQUIRE(connection.responder().give_up_waiting());
  connection.run_on();
  std::string text = connection.read_available();
  const Response answer = take_response(text);
  CHECK(answer.status == 408);
  CHECK(answer.fields.at("Connection") == "close");
}

}  // namespace penstock::files

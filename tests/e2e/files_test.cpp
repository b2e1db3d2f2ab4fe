// The static server before clients that others wrote, and before a hostile one.

#include <fmt/format.h>

#include <filesystem>
#include <random>

#include "catch.hpp"
#include "e2e/metrics.hpp"
#include "e2e/network.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

struct Site {
  TemporaryFolder folder;
  std::string content{payload(17, 3 << 20)};
  Penstock penstock;

  Site() : penstock{plan()} {}
  Plan plan() {
    folder.write("www/large.bin", content);
    folder.write("www/index.html", "<p>hello</p>");
    folder.write("www/page.css", "body {}");
    return {.listener = "files: {root: \"" + folder.path("www") + "\", open_files: 64}"};
  }
  std::string url(const std::string& path) const { return "http://" + penstock.address() + path; }
};

Finished curl(std::vector<std::string> words) {
  words.insert(words.begin(), {"curl", "--silent", "--noproxy", "*", "--max-time", "20"});
  return run_program(std::move(words));
}

// A field of a head, by its name as it is written.
std::string field_of(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

// One whole answer at the front of the text: its length, or 0 where it is none.
std::size_t length_of_answer(const std::string& text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos || !text.starts_with("HTTP/1.1 ")) return 0;
  const int status = std::stoi(text.substr(9, 3));
  if (status < 200 || status > 599) return 0;
  const std::string length = field_of(text.substr(0, end + 2), "Content-Length");
  if (length.empty()) return status == 304 ? end + 4 : 0;
  return end + 4 + std::stoul(length);
}

// A request with some of its bytes changed, lost, or written twice.
std::string mutated(std::string text, std::mt19937_64& random) {
  static constexpr char favourites[] = "\r\n\0 :/%.,-=\"\xff*09";
  for (auto changes = 1 + random() % 4; changes > 0 && !text.empty(); --changes) {
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
      case 0: text[at] = favourites[random() % (sizeof favourites - 1)]; break;
      case 1: text.erase(at, 1 + random() % 8); break;
      case 2: text.insert(at, text.substr(at, 1 + random() % 16)); break;
      default: text[at] = static_cast<char>(random());
    }
  }
  return text;
}

}  // namespace

TEST_CASE("curl resumes a download, and takes ranges, one and several", "[peers]") {
  if (skip_without({"curl"})) return;
  Site site;
  const std::string part = site.folder.write("part", site.content.substr(0, 1'000'000));
  CHECK(curl({"--continue-at", "-", "--output", part, site.url("/large.bin")}).exit_code == 0);
  const Finished same = run_program({"cmp", part, site.folder.path("www/large.bin")});
  CHECK(same.exit_code == 0);
  CHECK(curl({"--range", "5-8", site.url("/large.bin")}).output == site.content.substr(5, 4));
  const std::string several = curl({"--range", "0-1,-2", site.url("/index.html")}).output;
  CHECK(several.find("Content-Range: bytes 0-1/12\r\n\r\n<p\r\n") != std::string::npos);
  CHECK(several.find("Content-Range: bytes 10-11/12\r\n\r\np>\r\n") != std::string::npos);
  const Finished beyond =
      curl({"--fail", "--range", "99999999-", "--output", "/dev/null", site.url("/large.bin")});
  CHECK(beyond.exit_code == 22);
}

TEST_CASE("curl asks again by tag and by time, and gets nothing twice", "[peers]") {
  if (skip_without({"curl"})) return;
  Site site;
  const std::string tag = site.folder.path("tag");
  const std::string copy = site.folder.path("copy");
  const auto ask = [&] {
    return curl({"--etag-save", tag, "--etag-compare", tag, "--output", copy, "--write-out",
                 "%{http_code}", site.url("/page.css")})
        .output;
  };
  site.folder.write("tag", "");
  CHECK(ask() == "200");
  CHECK(ask() == "304");
  // In the first second the date that is given out is still on its way (docs/FILES.md).
  wait_until("the date that it was given is confirmed", [&] {
    return curl({"--remote-time", "--output", copy, site.url("/page.css")}).exit_code == 0 &&
           curl({"--time-cond", copy, "--output", "/dev/null", "--write-out", "%{http_code}",
                 site.url("/page.css")})
                   .output == "304";
  });
  CHECK(curl({"--compressed", site.url("/page.css")}).output == "body {}");
}

TEST_CASE("a request that does not end within idle_timeout is answered by 408", "[peers]") {
  TemporaryFolder folder;
  folder.write("www/index.html", "x");
  Penstock penstock{
      {.listener = "files: {root: \"" + folder.path("www") + "\"}, idle_timeout: 300ms"}};
  Peer slow = penstock.client();
  slow.send("GET / HTTP/1.1\r\nHos");
  const std::string answer = slow.read_to_end();
  CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  slow.close();
  penstock.wait_until_rest();
}

TEST_CASE("a deploy that turns the root's link is followed, and confirms nothing old", "[peers]") {
  TemporaryFolder folder;
  folder.write("1/page", "old");
  folder.write("2/page", "new");
  const std::string link = folder.path("current");
  std::filesystem::create_directory_symlink("1", link);
  for (const char* release : {"1/page", "2/page"})  // as a reproducible build leaves them
    std::filesystem::last_write_time(folder.path(release), {});
  // One forwarder: each sees the turn at its own time.
  Penstock penstock{{.listener = "files: {root: \"" + link + "\"}", .runtime = "forwarders: 1"}};
  const HttpAnswer before = http(penstock.address(), "GET", "/page");
  CHECK(before.body == "old");
  const std::string date = field_of(before.head, "Last-Modified");
  CHECK(date.find("1970") == std::string::npos);
  std::filesystem::create_directory_symlink("2", link + ".new");
  std::filesystem::rename(link + ".new", link);
  std::filesystem::remove_all(folder.path("1"));
  wait_until("the new release is served",
             [&] { return http(penstock.address(), "GET", "/page").body == "new"; });
  // A date never names the running second, so its own may come a moment later.
  wait_until("the new release has a date of its own", [&] {
    return field_of(http(penstock.address(), "GET", "/page").head, "Last-Modified") != date;
  });
  CHECK(http(penstock.address(), "GET", "/page", "If-Modified-Since: " + date + "\r\n").body ==
        "new");
  CHECK(http(penstock.address(), "GET", "/page",
             "If-None-Match: " + field_of(before.head, "ETag") + "\r\n")
            .body == "new");
}

TEST_CASE("a directory that takes the root's place is served or not yet, but is no error",
          "[peers]") {
  TemporaryFolder folder;
  folder.write("www/page", "old");
  folder.write("next/page", "new");
  Penstock penstock{{.listener = "files: {root: \"" + folder.path("www") + "\"}"}};
  CHECK(http(penstock.address(), "GET", "/page").body == "old");
  std::filesystem::rename(folder.path("www"), folder.path("before"));
  std::filesystem::rename(folder.path("next"), folder.path("www"));
  // Under the sandbox only a start opens the new one.
  holds_for(2500ms, "a release is served", [&] {
    const std::string body = http(penstock.address(), "GET", "/page").body;
    return body == "old" || body == "new";
  });
}

TEST_CASE("a request that drips byte by byte is answered by 408 as well", "[peers]") {
  TemporaryFolder folder;
  folder.write("www/index.html", "x");
  Penstock penstock{
      {.listener = "files: {root: \"" + folder.path("www") + "\"}, idle_timeout: 1s"}};
  Peer slow = penstock.client();
  slow.send("GET / HTTP/1.1\r\nHost: ");
  std::string answer;
  auto next = Clock::now();
  wait_until("an answer comes", [&] {
    if (Clock::now() >= next) {
      slow.send("a");
      next = Clock::now() + 200ms;
    }
    receive_now(slow.descriptor(), answer);
    return !answer.empty();
  });
  CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_CASE("a download whose file becomes shorter ends by RST, with a reason of its own",
          "[peers]") {
  Site site;
  Peer client = site.penstock.client({.receive_buffer = 4096});
  client.send("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read(8) == "HTTP/1.1");
  std::filesystem::resize_file(site.folder.path("www/large.bin"), 1000);
  const Received rest = client.receive_all();
  CHECK(rest.ending == Ending::reset);
  CHECK(rest.bytes.size() < site.content.size());
  const Record record = site.penstock.record_with_reason("upstream_reset");
  CHECK(record.at("truncated").as_bool());
}

TEST_CASE("ten thousand mutated requests: every answer is HTTP, and nothing breaks", "[peers]") {
  INFO("PENSTOCK_SEED=" << run_seed());
  std::mt19937_64 random{run_seed()};
  Site site;
  const std::vector<std::string> originals{
      "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, zstd;q=0.5\r\n\r\n",
      "GET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9,100-109,-5\r\n\r\n",
      "GET /%69ndex.html?q HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"a\", W/\"b\"\r\n\r\n",
      "HEAD /page.css HTTP/1.0\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
      "GET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=7-8\r\nIf-Range: \"x\"\r\n\r\n"};
  std::size_t answers = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string request = mutated(originals[random() % originals.size()], random);
    Peer client = site.penstock.client();
    client.send(request);
    client.finish_sending();
    std::string text = client.read_to_end();
    // HEAD is mutated as well: then a length may be promised of which nothing comes.
    if (request.find("HEAD") != std::string::npos) continue;
    while (!text.empty()) {
      const std::size_t length = length_of_answer(text);
      CAPTURE(request, text.substr(0, 500));
      REQUIRE(length > 0);
      REQUIRE(length <= text.size());
      text.erase(0, length);
      ++answers;
    }
  }
  CHECK(answers > 5000);
  CHECK(http(site.penstock.address(), "GET", "/").body == "<p>hello</p>");
  site.penstock.wait_until_rest();
}

TEST_CASE("of more files than may stay open the most used ones do", "[peers]") {
  Site site;
  for (int i = 0; i < 1000; ++i) site.folder.write(fmt::format("www/many/{}", i), "x");
  for (int i = 0; i < 2000; ++i) {
    // Every other request is for one of ten files.
    const int number = i % 2 == 0 ? i % 1000 : i % 20;
    REQUIRE(http(site.penstock.address(), "GET", fmt::format("/many/{}", number)).body == "x");
  }
  const Metrics metrics = site.penstock.metrics();
  CHECK(metrics.sum("penstock_open_files") > 0);
  CHECK(metrics.sum("penstock_open_files") <= 64 * 2);
  CHECK(metrics.sum("penstock_open_file_lookups_total") == 2000);
  CHECK(metrics.sum("penstock_open_file_lookups_total", {{"result", "hit"}}) > 500);
  CHECK(metrics.sum("penstock_open_file_evictions_total") > 500);
}

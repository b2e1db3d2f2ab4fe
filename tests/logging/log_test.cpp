#include "logging/log.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "catch.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using logging::LineSink;

namespace {

// A path of its own for each test, removed afterwards.
class Scratch {
 public:
  explicit Scratch(const std::string& name)
      : path_{std::filesystem::temp_directory_path() /
              ("penstock-log-" + name + '-' +
               std::to_string(reinterpret_cast<std::uintptr_t>(this)))} {
    std::filesystem::remove(path_);
  }
  ~Scratch() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }
  std::string text() const {
    std::ostringstream text;
    text << std::ifstream{path_}.rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("lines reach the file whole and in order", "[base]") {
  const Scratch file{"order"};
  auto sink = *LineSink::open(file.path());
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    sink->write("line " + std::to_string(i));
    expected += "line " + std::to_string(i) + '\n';
  }
  REQUIRE(sink->flush(10s));
  CHECK(file.text() == expected);
  CHECK(sink->dropped() == 0);
}

TEST_CASE("what a file held before stays", "[base]") {
  const Scratch file{"append"};
  std::ofstream{file.path()} << "old\n";
  auto sink = *LineSink::open(file.path());
  sink->write("new");
  REQUIRE(sink->flush(10s));
  CHECK(file.text() == "old\nnew\n");
}

TEST_CASE("a file that cannot be opened is one sentence with its path", "[base]") {
  const auto sink = LineSink::open("/nowhere/at/all.log");
  REQUIRE_FALSE(sink.has_value());
  CHECK(sink.error() == "cannot open the log /nowhere/at/all.log: No such file or directory");
}

TEST_CASE("after reopen() lines go to the new file of that name", "[base]") {
  const Scratch file{"reopen"};
  const Scratch rotated{"rotated"};
  auto sink = *LineSink::open(file.path());
  sink->write("before");
  REQUIRE(sink->flush(10s));
  std::filesystem::rename(file.path(), rotated.path());
  sink->reopen();
  sink->write("after");
  REQUIRE(sink->flush(10s));
  CHECK(rotated.text() == "before\n");
  CHECK(file.text() == "after\n");
}

TEST_CASE("reopen() opens the file at once, though no line comes", "[base]") {
  const Scratch file{"at-once"};
  auto sink = *LineSink::open(file.path());
  std::filesystem::remove(file.path());
  CHECK(sink->reopen());
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!std::filesystem::exists(file.path()) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  CHECK(std::filesystem::exists(file.path()));
}

TEST_CASE("a standard stream is not opened again", "[base]") {
  CHECK_FALSE((*LineSink::open("stderr"))->reopen());
}

TEST_CASE("a half line that a file ends with stays a line of its own", "[base]") {
  const Scratch file{"torn"};
  std::ofstream{file.path()} << "whole\nha";
  auto sink = *LineSink::open(file.path());
  sink->write("new");
  REQUIRE(sink->flush(10s));
  CHECK(file.text() == "whole\nha\nnew\n");
}

TEST_CASE("a full disk drops and counts lines and says so", "[base]") {
  auto sink = *LineSink::open("/dev/full");
  for (int i = 0; i < 10; ++i) sink->write("line");
  REQUIRE(sink->flush(10s));
  CHECK(sink->dropped() == 10);
  CHECK(sink->take_error() == "cannot write to the log /dev/full: No space left on device");
  CHECK(sink->take_error().empty());
}

TEST_CASE("lines that meet the full disk before they are flushed say the same", "[base]") {
  auto sink = *LineSink::open("/dev/full");
  sink->write(std::string(100'000, 'x'));  // more than stdio holds: it is written at once
  REQUIRE(sink->flush(10s));
  CHECK(sink->dropped() == 1);
  CHECK(sink->take_error() == "cannot write to the log /dev/full: No space left on device");
}

TEST_CASE("a reader that stopped reading costs lines, never the caller's time", "[base]") {
  // The other end of this pipe is read only at the end.
  const Scratch file{"fifo"};
  REQUIRE(std::system(("mkfifo " + file.path()).c_str()) == 0);
  auto sink = *LineSink::open(file.path(), 100);
  const std::string line(1000, 'x');
  for (int i = 0; i < 1000; ++i) sink->write(line);
  CHECK_FALSE(sink->flush(50ms));
  CHECK(sink->dropped() > 0);
  // Every line is written or dropped: now they are read, and the flush ends.
  std::FILE* reader = std::fopen(file.path().c_str(), "r");
  REQUIRE(reader != nullptr);
  std::size_t lines = 0;
  while (!sink->flush(1ms)) {
    std::array<char, 2048> read;
    REQUIRE(std::fgets(read.data(), read.size(), reader) != nullptr);
    CHECK(std::string_view{read.data()} == line + '\n');
    ++lines;
  }
  CHECK(lines < 1000);
  std::fclose(reader);
}

TEST_CASE("the process log bears time and level, and leaves out what lies below its level",
          "[base]") {
  const Scratch file{"text"};
  logging::Log log{{.level = logging::Severity::warning}, file.path()};
  log.info("quiet");
  log.warning("said \"so\"");
  REQUIRE(log.flush(10s));
  const std::string text = file.text();
  CAPTURE(text);
  CHECK(text.find("quiet") == text.npos);
  CHECK(text.ends_with("Z warning said \"so\"\n"));
  CHECK(text.size() == std::string{"2026-01-01T00:00:00.000000Z warning said \"so\"\n"}.size());
}

TEST_CASE("the process log as JSON is one object a line", "[base]") {
  const Scratch file{"json"};
  logging::Log log{{.json = true}, file.path()};
  log.error("a \"b\"\nc");
  REQUIRE(log.flush(10s));
  CHECK(file.text().ends_with(R"(Z","level":"error","message":"a \"b\"\u000ac"})"
                              "\n"));
}

TEST_CASE("a line of the process log stays one line of plain text, whatever it quotes", "[base]") {
  const std::string words = "x\n2026 error forged\x1b[2J\xc2\x9b\xffg\xc3\xbc";
  const Scratch text{"plain"};
  logging::Log log{{}, text.path()};
  log.info(words);
  REQUIRE(log.flush(10s));
  CHECK(text.text().ends_with(" info x\\x0a2026 error forged\\x1b[2J\\xc2\\x9b\\xffg\xc3\xbc\n"));
  const Scratch json{"plain-json"};
  logging::Log objects{{.json = true}, json.path()};
  objects.info(words);
  REQUIRE(objects.flush(10s));
  CHECK(
      json.text().ends_with("\"message\":\"x\\u000a2026 error forged\\u001b[2J\\u009b\\\\xffg"
                            "\xc3\xbc\"}\n"));
}

TEST_CASE("colour surrounds the level and nothing else", "[base]") {
  const Scratch file{"colour"};
  logging::Log log{{.colour = true}, file.path()};
  log.error("x");
  REQUIRE(log.flush(10s));
  CHECK(file.text().ends_with("Z \x1b[31merror\x1b[0m x\n"));
}

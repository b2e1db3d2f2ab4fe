// The access log as a file: a disk that fills up and empties again, and programs that rotate logs.

#include <boost/json/parse.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/small_disk.hpp"

using namespace penstock::e2e;

namespace {

void talk(const Penstock& penstock, int connections) {
  for (int i = 0; i < connections; ++i) {
    Peer client = penstock.client();
    client.finish_sending();
    client.read_to_end();
  }
  penstock.wait_until_rest();
}

double dropped(const Penstock& penstock) {
  return penstock.metrics().sum("penstock_access_log_lines_dropped_total");
}

struct Lines {
  std::size_t whole = 0;
  std::size_t torn = 0;
};

Lines lines_of(const std::string& path) {
  Lines lines;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    boost::json::error_code error;
    boost::json::parse(line, error);
    ++(error ? lines.torn : lines.whole);
  }
  return lines;
}

}  // namespace

TEST_CASE("a disk that was full leaves no torn line, and every lost line is counted", "[log]") {
  if (!can_mount()) {
    WARN("skipped: no right to mount a disk");
    return;
  }
  SmallDisk disk;
  disk.fill("other data", 16 << 10);
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}, .access = disk.path("access.log")}};
  int talked = 0;
  while (dropped(penstock) == 0 && talked < 1000) {
    talk(penstock, 20);
    talked += 20;
  }
  CHECK(dropped(penstock) > 0);
  wait_until("the log says why", [&] {
    return penstock.program().errors().find("No space left on device") != std::string::npos;
  });
  std::filesystem::remove(disk.path("other data"));
  talk(penstock, 20);
  talked += 20;
  penstock.stop();
  const Lines lines = lines_of(disk.path("access.log"));
  CHECK(lines.torn == 0);
  const std::string said = penstock.program().errors();
  const std::string lost =
      std::to_string(talked - static_cast<int>(lines.whole)) + " lines of the access log were lost";
  INFO(said);
  CHECK(said.find(lost) != std::string::npos);
}

TEST_CASE("SIGUSR1 opens the log again at once, though nobody connects", "[log]") {
  const TemporaryFolder folder;
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}, .access = folder.path("access.log")}};
  talk(penstock, 1);
  wait_until("its line is there", [&] { return lines_of(folder.path("access.log")).whole == 1; });
  std::filesystem::rename(folder.path("access.log"), folder.path("access.log.1"));
  penstock.program().signal(SIGUSR1);
  wait_until("the new file is there",
             [&] { return std::filesystem::exists(folder.path("access.log")); });
  wait_until("it says so", [&] {
    return penstock.program().errors().find(
               "SIGUSR1: the access log is opened again by its name") != std::string::npos;
  });
  talk(penstock, 1);
  penstock.stop();
  CHECK(lines_of(folder.path("access.log.1")).whole == 1);
  CHECK(lines_of(folder.path("access.log")).whole == 1);
}

TEST_CASE("SIGUSR1 without a log file says that there is none", "[log]") {
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  penstock.program().signal(SIGUSR1);
  wait_until("it says so", [&] {
    return penstock.program().errors().find("there is no log file to open again") !=
           std::string::npos;
  });
}

// Least privilege of the running process: who it is, and what its threads may do.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "e2e/echo_process.hpp"
#include "e2e/network.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

namespace penstock::e2e {

namespace {

namespace fs = std::filesystem;

// `key` of the status of every thread.
std::vector<std::string> of_all_threads(const Program& program, const std::string& key) {
  std::vector<std::string> values;
  for (const auto& task :
       fs::directory_iterator{"/proc/" + std::to_string(program.id()) + "/task"}) {
    std::ifstream status{task.path() / "status"};
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(key + ":")) values.push_back(line.substr(key.size() + 2));
  }
  return values;
}

bool all_are(const std::vector<std::string>& values, const std::string& value) {
  return !values.empty() &&
         std::all_of(values.begin(), values.end(), [&](const auto& one) { return one == value; });
}

void exchange(Penstock& penstock) {
  Peer client = penstock.client();
  client.send("ping");
  CHECK(client.read(4) == "ping");
}

bool skip_where_sanitized() {
  return skip_unless(!is_sanitized(), "the sandbox is off in builds with sanitizers");
}

Finished run_with(const std::string& runtime, const Program::Options& options = {}) {
  const TemporaryFolder folder;
  const std::string file = folder.path("penstock.yaml");
  std::ofstream{file} << yaml_from({.endpoints = {"127.0.0.1:9"}, .runtime = runtime},
                                   free_address(), free_address());
  return run_program({penstock_binary(), "run", "-c", file}, options);
}

}  // namespace

TEST_CASE("every thread of a proxy that has started is locked", "[sandbox]") {
  if (skip_where_sanitized()) return;
  EchoProcess origin;
  Penstock penstock{{.endpoints = {origin.address()}}};
  exchange(penstock);
  CHECK(all_are(of_all_threads(penstock.program(), "Seccomp"), "2"));
  CHECK(all_are(of_all_threads(penstock.program(), "NoNewPrivs"), "1"));
  CHECK(penstock.program().errors().find("sandbox: every thread has a list") != std::string::npos);
}

TEST_CASE("the strict sandbox carries a proxy from its start to its drain", "[sandbox]") {
  if (skip_where_sanitized()) return;
  for (const char* engine : {"adaptive", "zerocopy", "uring"}) {
    CAPTURE(engine);
    EchoProcess origin;
    Penstock penstock{{.endpoints = {origin.address()},
                       .relay = std::string{"engine: "} + engine,
                       .runtime = "sandbox: strict"}};
    exchange(penstock);
    penstock.metrics();
    penstock.stop();
  }
}

TEST_CASE("the sandbox can be turned off", "[sandbox]") {
  EchoProcess origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "sandbox: off"}};
  exchange(penstock);
  CHECK(all_are(of_all_threads(penstock.program(), "Seccomp"), "0"));
}

TEST_CASE("root becomes the user of runtime.user and keeps nothing", "[sandbox]") {
  if (skip_unless(::geteuid() == 0, "only root can become somebody else")) return;
  EchoProcess origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "user: 65532, group: 65531"}};
  exchange(penstock);
  CHECK(all_are(of_all_threads(penstock.program(), "Uid"), "65532\t65532\t65532\t65532"));
  CHECK(all_are(of_all_threads(penstock.program(), "Gid"), "65531\t65531\t65531\t65531"));
  CHECK(all_are(of_all_threads(penstock.program(), "CapEff"), "0000000000000000"));
  CHECK(all_are(of_all_threads(penstock.program(), "CapPrm"), "0000000000000000"));
}

TEST_CASE("a user that cannot be had ends the start with a sentence", "[sandbox]") {
  const Finished unknown = run_with("user: no-such-user");
  CHECK(unknown.exit_code == 1);
  CHECK(unknown.errors.find("runtime.user: there is no user \"no-such-user\"") !=
        std::string::npos);
}

TEST_CASE("who is not root is told that it cannot become another user", "[sandbox]") {
  if (skip_unless(::geteuid() == 0, "only root can start a process of another user")) return;
  const std::string file = "/tmp/penstock-other-user.yaml";
  std::ofstream{file} << yaml_from({.endpoints = {"127.0.0.1:9"}, .runtime = "user: 1234"},
                                   free_address(), free_address());
  const Finished other = run_program({penstock_binary(), "run", "-c", file}, {.user = 65532});
  fs::remove(file);
  CHECK(other.exit_code == 1);
  CHECK(other.errors.find("only root can become user 1234") != std::string::npos);
}

TEST_CASE("what cannot be had is said, and strict refuses to start", "[sandbox]") {
  if (skip_where_sanitized()) return;
  const Finished strict = run_with("sandbox: strict", {.no_landlock = true});
  CHECK(strict.exit_code == 1);
  CHECK(strict.errors.find("runtime.sandbox: strict cannot be kept: Landlock cannot be had here") !=
        std::string::npos);
  EchoProcess origin;
  Penstock penstock{{.endpoints = {origin.address()}, .program = {.no_landlock = true}}};
  exchange(penstock);
  wait_until("the warning in the log", [&] {
    return penstock.program().errors().find("the sandbox goes without Landlock") !=
           std::string::npos;
  });
}

TEST_CASE("a log is rotated under the strict sandbox", "[sandbox]") {
  if (skip_where_sanitized()) return;
  EchoProcess origin;
  const TemporaryFolder folder;
  const std::string log = folder.path("access.log");
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "sandbox: strict", .access = log}};
  exchange(penstock);
  wait_until("a line in the log", [&] { return fs::file_size(log) > 0; });
  fs::rename(log, log + ".1");
  penstock.program().signal(SIGUSR1);
  // The new file is made before the next line, and that line goes there.
  wait_until("a line in the new log", [&] {
    exchange(penstock);
    return fs::exists(log) && fs::file_size(log) > 0;
  });
}

TEST_CASE("a file of endpoints may be a link that is turned to a file beside its target",
          "[sandbox]") {
  if (skip_where_sanitized()) return;
  EchoProcess first;
  EchoProcess second;
  const TemporaryFolder config;
  const TemporaryFolder target;
  target.write("one.yaml", "[\"" + first.address() + "\"]\n");
  target.write("two.yaml", "[\"" + second.address() + "\"]\n");
  const std::string link = config.path("endpoints.yaml");
  fs::create_symlink(target.path("one.yaml"), link);
  Penstock penstock{{.endpoints = {"{file: \"" + link + "\"}"}, .runtime = "sandbox: strict"}};
  exchange(penstock);
  fs::create_symlink(target.path("two.yaml"), link + ".new");
  fs::rename(link + ".new", link);
  wait_until("the second endpoint to replace the first one", [&] {
    return penstock.program().errors().find("1 new, 1 gone") != std::string::npos;
  });
  exchange(penstock);
}

TEST_CASE("root that only changes its group stays root", "[sandbox]") {
  if (skip_unless(::geteuid() == 0, "only root can change its group")) return;
  EchoProcess origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "group: 65531"}};
  exchange(penstock);
  CHECK(all_are(of_all_threads(penstock.program(), "Gid"), "65531\t65531\t65531\t65531"));
  const auto capabilities = of_all_threads(penstock.program(), "CapEff");
  CHECK(std::none_of(capabilities.begin(), capabilities.end(),
                     [](const auto& one) { return one == "0000000000000000"; }));
}

TEST_CASE("who gave up everything still knows its own figures", "[sandbox]") {
  if (skip_unless(::geteuid() == 0, "only root can become somebody else")) return;
  EchoProcess origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "user: 65532"}};
  exchange(penstock);
  CHECK(penstock.metrics().sum("process_open_fds", {}) > 3);
  CHECK(penstock.metrics().sum("process_resident_memory_bytes", {}) > 0);
}

}  // namespace penstock::e2e

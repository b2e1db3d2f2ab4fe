// Signals have an owner before the first constructor and after the last instruction of main: none
// is ever left to what it does by default, and what the first one means does not depend on who
// asked before.

#include <arpa/inet.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

// A name server that never answers, on port 53 of our own network.
class SilentNameServer {
 public:
  SilentNameServer() : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      fail_with_errno("bind 127.0.0.1:53");
  }
  SilentNameServer(const SilentNameServer&) = delete;
  SilentNameServer& operator=(const SilentNameServer&) = delete;
  ~SilentNameServer() { ::close(socket_); }

  bool was_asked() const {
    char question = 0;
    return ::recv(socket_, &question, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
  }

 private:
  int socket_;
};

bool holds(const Program& program, const std::string& key, int signal) {
  const std::string mask = program.status_line(key);
  return !mask.empty() && (std::strtoull(mask.c_str(), nullptr, 16) >> (signal - 1) & 1) != 0;
}

// It is penstock by now, and its main has come so far as to report crashes.
bool has_begun(const Program& program) {
  std::error_code ignored;
  const std::filesystem::path link = "/proc/" + std::to_string(program.id()) + "/exe";
  return std::filesystem::equivalent(link, penstock_binary(), ignored) &&
         holds(program, "SigCgt", SIGSEGV);
}

// The drain has begun, by POST /drain, and `client` is busy.
struct Draining {
  Origin origin{};
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "drain: {timeout: 60s}"}};
  Peer client = penstock.client();
  Peer upstream = origin.accept();

  Draining() {
    REQUIRE(http(penstock.admin(), "POST", "/drain").status == 202);
    wait_until("the drain has come to the connections", [this] {
      exchange();
      return penstock.program().errors().find("draining; connections") != std::string::npos;
    });
  }
  // Or it would be idle, and ended.
  void exchange() {
    client.send("x");
    REQUIRE(upstream.read(1) == "x");
  }
};

}  // namespace

TEST_CASE("a signal in the first moments of a start is not left to its default", "[signals]") {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGHUP, SIGUSR1, SIGUSR2}) {
    INFO("signal " << signal);
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}}};
    penstock.stop();
    penstock.start_again();
    wait_until("main has begun", [&] { return has_begun(penstock.program()); });
    penstock.program().signal(signal);
    penstock.wait_until_ready();
    penstock.stop();
  }
}

TEST_CASE("SIGTERM in the first moments of a start ends it with exit code 0", "[signals]") {
  for (const int signal : {SIGTERM, SIGINT, SIGTERM, SIGINT}) {
    INFO("signal " << signal);
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()}}};
    penstock.stop();
    penstock.start_again();
    wait_until("main has begun", [&] { return has_begun(penstock.program()); });
    penstock.program().signal(signal);
    penstock.expect_clean_end();
  }
}

TEST_CASE("a signal that comes while libraries are set up is kept and then obeyed", "[signals]") {
  const int signal = GENERATE(SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT);
  Origin origin;
  const TemporaryFolder folder;
  const std::string file =
      folder.write("penstock.yaml",
                   yaml_from({.endpoints = {origin.address()}}, free_address(), free_address()));
  // Its constructor raises the signal, before those of penstock and long before main.
  Program program{{penstock_binary(), "run", "-c", file},
                  {.environment = {std::string{"LD_PRELOAD="} + PENSTOCK_EARLY_SIGNAL,
                                   "EARLY_SIGNAL=" + std::to_string(signal)}}};
  const bool ends = signal == SIGTERM || signal == SIGINT;
  if (!ends) {
    wait_until("it serves", [&] {
      return !program.running() || program.errors().find("ready;") != std::string::npos;
    });
    program.signal(SIGTERM);
  }
  CHECK(program.wait() == 0);
}

TEST_CASE("signals are obeyed while a name in the configuration is resolved", "[signals]") {
  if (!network_is_ours()) {
    WARN("skipped: port 53 of our own network cannot be had");
    return;
  }
  const SilentNameServer names;
  const TemporaryFolder folder;
  const std::string file =
      folder.write("penstock.yaml",
                   yaml_from({.endpoints = {"127.0.0.1:1"}}, "slow.test:7000", "127.0.0.1:7001"));
  // glibc waits so long for an answer.
  const std::string resolver =
      folder.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n");
  Program program{{penstock_binary(), "run", "-c", file}, {.resolv_conf = resolver}};
  wait_until("the name is asked for", [&] { return names.was_asked() || !program.running(); });
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) program.signal(signal);
  for (const std::string name : {"SIGHUP", "SIGUSR1", "SIGUSR2"})
    wait_until(name + " is answered", [&] {
      if (!program.running()) throw Failure{"it has ended: " + program.errors()};
      return program.errors().find(name + " while the configuration is read: ignored") !=
             std::string::npos;
    });
  program.signal(SIGTERM);
  CHECK(program.wait() == 0);
  CHECK(program.errors().find("SIGTERM while the configuration is read: it ends") !=
        std::string::npos);
}

TEST_CASE("SIGINT ends the other verbs as it ends any program", "[signals]") {
  const int signal = GENERATE(SIGINT, SIGTERM);
  Origin silent;  // takes the connection and never answers
  Program program{{penstock_binary(), "ctl", "--admin", silent.address(), "status"}};
  const Peer asked = silent.accept();
  program.signal(signal);
  CHECK(program.wait() == 128 + signal);
}

TEST_CASE("SIGTERM after POST /drain lets connections go on", "[signals]") {
  Draining draining;
  Program& program = draining.penstock.program();
  program.signal(SIGTERM);
  wait_until("the signal is answered",
             [&] { return program.errors().find("SIGTERM: the drain that") != std::string::npos; });
  for (int i = 0; i < 20; ++i) draining.exchange();
  draining.client.finish_sending();
  draining.upstream.close();
  CHECK(draining.client.receive_all().ending == Ending::fin);
  draining.penstock.expect_clean_end();
  CHECK(text_of(draining.penstock.records().at(0), "reason") == "complete");
}

TEST_CASE("a second SIGTERM ends at once what POST /drain began", "[signals]") {
  Draining draining;
  draining.penstock.program().signal(SIGTERM);
  draining.exchange();
  draining.penstock.program().signal(SIGINT);
  CHECK(draining.client.receive_all().ending == Ending::reset);
  draining.penstock.expect_clean_end();
}

TEST_CASE("signals while the logs are flushed change nothing any more", "[signals]") {
  Origin origin;
  origin.serve(greet("x"));
  Penstock penstock{{.endpoints = {origin.address()}, .program = {.unread_output = true}}};
  // The pipe of the access log is full: the flush waits for as long as it may.
  wait_until(
      "lines are dropped",
      [&] {
        for (int i = 0; i < 500; ++i) {
          Peer client = penstock.client();
          client.finish_sending();
          client.read_to_end();
        }
        return penstock.metrics().sum("penstock_access_log_lines_dropped_total") > 0;
      },
      60s);
  Program& program = penstock.program();
  program.signal(SIGTERM);
  wait_until("everything but the flush is done",
             [&] { return program.errors().find("stopped; connections") != std::string::npos; });
  wait_until("it has ended", [&] {
    for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) program.signal(signal);
    return !program.running();
  });
  penstock.expect_clean_end();
}

// The bound is of time, and a machine that is busy with something else may miss it.
TEST_CASE("a drain ends a second after its grace and its timeout at the latest", "[signals]") {
  bool kept = false;
  for (int tries = 0; tries < 3 && !kept; ++tries) {
    Origin origin;
    Penstock penstock{{.endpoints = {origin.address()},
                       .runtime = "max_connections: 1, drain: {grace: 200ms, timeout: 800ms}"}};
    Peer busy = penstock.client();
    const Peer upstream = origin.accept();
    const Peer waits = penstock.client();  // for a place: the listeners cannot be emptied
    const auto begun = Clock::now();
    penstock.program().signal(SIGTERM);
    penstock.expect_clean_end();
    kept = Clock::now() - begun < 2s;
  }
  CHECK(kept);
}

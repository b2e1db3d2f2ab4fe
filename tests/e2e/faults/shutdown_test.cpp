// D5 and D13: SIGTERM with transfers under way, and as process 1 of a namespace, as in a container.

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

long long milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration_cast<Milliseconds>(Clock::now() - begin).count();
}

bool refuses(const std::string& address) {
  try {
    Peer::connect(address);
    return false;
  } catch (const Failure&) {
    return true;
  }
}

// Sends a byte now and then until the connection ends; how it ended.
Ending send_until_the_end(Peer& sender, Peer& receiver) {
  wait_until("the transfer is cut", [&] {
    try {
      sender.send_now("x");
    } catch (const Failure&) {
      return true;
    }
    std::string ignored;
    return receive_now(receiver.descriptor(), ignored) != Ending::open;
  });
  return receiver.receive_all().ending;
}

// Processes whose parent is `parent`, zombies among them.
std::size_t children_of(int parent) {
  std::size_t count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc", ignored}) {
    std::ifstream file{entry.path() / "stat"};
    std::string line;
    if (!std::getline(file, line)) continue;
    std::istringstream fields{line.substr(line.rfind(')') + 1)};
    std::string state;
    int its_parent = 0;
    if (fields >> state >> its_parent && its_parent == parent) ++count;
  }
  return count;
}

// A shell in the namespace of `process` that ends before its children do.
void leave_orphans(int process) {
  const Finished shell =
      run_program({"nsenter", "--pid", "--target", std::to_string(process), "sh", "-c",
                   "for i in 1 2 3; do sleep 2 </dev/null >/dev/null 2>&1 & done"});
  if (shell.exit_code != 0) throw Failure{"nsenter: " + shell.errors};
}

}  // namespace

TEST_CASE("D5 SIGTERM with transfers under way", "[faults][d]") {
  constexpr auto timeout = 3s;
  Scenario scenario{"D5", "SIGTERM with a transfer that ends in time, one that does not, one idle",
                    "the first is whole, then FIN; the second RST at the timeout; the idle one "
                    "FIN; new ones refused; exit 0"};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "drain: {timeout: 3s}"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  Peer idle = penstock.client();
  Peer idle_upstream = origin.accept();
  holds_for(1100ms, "the idle one stays", [&] { return idle.ending() == Ending::open; });
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  Peer endless = penstock.client();
  Peer endless_upstream = origin.accept();
  const auto file = payload(5, 8 << 20);
  upstream.send(file.substr(0, 1000));
  endless_upstream.send("x");
  CHECK(endless.read(1) == "x");
  scenario.settle();
  const auto asked = Clock::now();
  penstock.program().signal(SIGTERM);
  // The kernel takes some of it while nobody reads; the rest in turns.
  std::string got;
  for (std::size_t sent = 1000; got.size() < file.size();) {
    if (sent < file.size()) sent += upstream.send_now(file.substr(sent));
    if (receive_now(client.descriptor(), got) != Ending::open) break;
  }
  upstream.finish_sending();
  client.finish_sending();
  scenario.delivered(Way::to_client, file, got);
  const Ending whole = client.receive_all().ending;
  wait_until("new connections are refused", [&] { return refuses(penstock.address()); });
  const Ending rested = idle.receive_all().ending;
  idle.close();
  const Ending cut = send_until_the_end(endless_upstream, endless);
  const auto cut_after = milliseconds_since(asked);
  scenario.verdict("client of the whole one", whole);
  scenario.verdict("client of the idle one", rested);
  scenario.verdict("client of the endless one", cut);
  CHECK(whole == Ending::fin);
  CHECK(rested == Ending::fin);
  CHECK(cut == Ending::reset);
  CHECK(Milliseconds{cut_after} >= timeout);
  penstock.expect_clean_end();
  const auto exited_after = milliseconds_since(asked);
  CHECK(text_of(penstock.record_of(client), "reason") == "complete");
  CHECK(text_of(penstock.record_of(endless), "reason") == "drain");
  scenario.saw(
      fmt::format("{} bytes whole, then FIN; idle: FIN; endless: {} after {} ms of a "
                  "drain timeout of 3000 ms; 1 of 2 transfers cut; exit 0 after {} ms",
                  got.size(), name_of(cut), cut_after, exited_after));
}

TEST_CASE("D13 process 1 of a namespace of its own", "[faults][d]") {
  Scenario scenario{"D13", "the proxy as process 1: orphans fall to it, then SIGTERM",
                    "orphans are reaped; the drain ends with the last connection; exit 0"};
  if (skip_without({"nsenter"})) return;
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .program = {.is_process_one = true}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  REQUIRE(penstock.program().status_line("NSpid").ends_with("\t1"));
  leave_orphans(penstock.program().id());
  wait_until("orphans have come", [&] { return children_of(penstock.program().id()) == 3; });
  wait_until("no orphan is left, nor a zombie",
             [&] { return children_of(penstock.program().id()) == 0; });
  penstock.program().signal(SIGHUP);  // ignored, and the process is still there
  Peer client = penstock.client();
  Peer upstream = origin.accept();
  client.send("before");
  CHECK(upstream.read(6) == "before");
  penstock.program().signal(SIGTERM);
  const auto bytes = payload(13, 100'000);
  upstream.send(bytes);
  upstream.finish_sending();
  scenario.delivered(Way::to_client, bytes, client.read_to_end());
  scenario.settle();
  client.finish_sending();
  const auto ended = Clock::now();
  penstock.expect_clean_end();
  scenario.verdict("client", Ending::fin);
  scenario.saw(
      fmt::format("3 orphans came and were reaped; exit 0, {} ms after the last connection "
                  "had ended",
                  milliseconds_since(ended)));
}

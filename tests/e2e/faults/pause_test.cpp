// D4: the whole process stands still for longer than its connections may be idle.

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include "catch.hpp"
#include "e2e/faults/mice.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

struct Pair {
  Peer client;
  Peer upstream;
};

// More than one batch of events, so that some wait behind others when the process goes on.
constexpr std::size_t connections = 400;
constexpr std::size_t silent = 100;  // of them; no bytes come for these
constexpr std::size_t bytes_each = 1000;
constexpr std::size_t elephants = 4;

std::vector<Pair> open_all(Penstock& penstock, Origin& origin) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < connections; ++i) {
    Peer client = penstock.client();
    pairs.push_back({std::move(client), origin.accept()});
  }
  return pairs;
}

Peer& sender_of(std::vector<Pair>& pairs, std::size_t i) {
  return i % 2 == 0 ? pairs[i].client : pairs[i].upstream;
}
Peer& receiver_of(std::vector<Pair>& pairs, std::size_t i) {
  return i % 2 == 0 ? pairs[i].upstream : pairs[i].client;
}

// Transfers without a pause: when the process stops, some stand in line for their next turn.
std::vector<std::unique_ptr<Elephant>> elephants_in(Penstock& penstock, Origin& origin) {
  std::vector<std::unique_ptr<Elephant>> all;
  for (std::size_t i = 0; i < elephants; ++i) {
    Peer client = penstock.client();
    all.push_back(std::make_unique<Elephant>(std::move(client), origin.accept()));
  }
  for (const auto& elephant : all)
    wait_until("the elephant walks", [&] { return elephant->delivered() > 1'000'000; });
  return all;
}

// kill(2) returns before every thread has stopped: one that waits for its CPU may still finish a
// system call, and what it moved then was no byte that waited.
bool stands_still(int process) {
  for (const auto& task :
       std::filesystem::directory_iterator{"/proc/" + std::to_string(process) + "/task"}) {
    std::ifstream file{task.path() / "stat"};
    std::string line;
    std::getline(file, line);
    if (line.substr(line.rfind(')') + 2, 1) != "T") return false;
  }
  return true;
}

void stop_for(Milliseconds pause, Milliseconds idle_timeout) {
  Scenario scenario{"D4", "SIGSTOP of the proxy for longer than `idle_timeout`, SIGCONT",
                    "no connection whose bytes are waiting is timed out; those without any are"};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .listener = fmt::format("idle_timeout: {}ms", idle_timeout.count())}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  auto herd = elephants_in(penstock, origin);
  auto pairs = open_all(penstock, origin);
  penstock.program().signal(SIGSTOP);
  wait_until("every thread stands still", [&] { return stands_still(penstock.program().id()); });
  std::string sent[2], received[2];  // by direction, to_upstream first
  for (std::size_t i = silent; i < connections; ++i) {
    const auto bytes = payload(i, bytes_each);
    sender_of(pairs, i).send(bytes);
    sent[i % 2] += bytes;
  }
  Peer late = Peer::connect(penstock.address());  // the backlog takes it
  holds_for(pause, "all peers stay connected", [&] {
    return std::all_of(pairs.begin(), pairs.end(), [](const Pair& pair) {
      return pair.client.ending() == Ending::open && pair.upstream.ending() == Ending::open;
    });
  });
  penstock.program().signal(SIGCONT);
  for (std::size_t i = silent; i < connections; ++i)
    received[i % 2] += receiver_of(pairs, i).read(bytes_each);
  for (std::size_t i = silent; i < connections; ++i) {
    pairs[i].client.finish_sending();
    pairs[i].upstream.finish_sending();
  }
  for (const auto& elephant : herd) {
    const auto before = elephant->delivered();
    wait_until("the elephant goes on", [&] { return elephant->delivered() > before; });
  }
  for (const auto& elephant : herd) elephant->stop();
  scenario.delivered(Way::to_upstream, sent[0], received[0]);
  scenario.delivered(Way::to_client, sent[1], received[1]);
  CHECK(http(penstock.admin(), "GET", "/healthz").status == 200);
  late.send("late");
  CHECK(origin.accept().read(4) == "late");
  late.close();
  penstock.wait_until_rest();
  const auto closed = [&penstock](const char* reason) {
    return penstock.metrics().sum("penstock_connections_closed_total", {{"reason", reason}});
  };
  const double timed_out = closed("idle_timeout");
  CHECK(timed_out == silent);
  CHECK(pairs[0].client.ending() == Ending::reset);
  scenario.verdict("client without bytes", pairs[0].client.ending());
  scenario.settle();
  scenario.saw(fmt::format(
      "stopped for {} ms with idle_timeout {} ms: {} of {} connections with waiting bytes went on, "
      "{} transfers as well, {} of {} without any were timed out; healthy at once; who connected "
      "meanwhile was served",
      pause.count(), idle_timeout.count(), (received[0].size() + received[1].size()) / bytes_each,
      connections - silent, herd.size(), timed_out, silent));
}

}  // namespace

TEST_CASE("D4 the proxy is stopped for longer than its timeouts", "[faults][d]") {
  // Opening them all must not take as long, on a busy machine either.
  stop_for(10s, 8s);
}

TEST_CASE("D4 the proxy is stopped for half a minute", "[faults][d][full]") {
  stop_for(30s, 5s);
}

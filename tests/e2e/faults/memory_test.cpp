// C5, C7, C15: memory that runs out: the control group's, the kernel's for TCP, the process's own.

#include <fmt/format.h>
#include <sys/resource.h>

#include "catch.hpp"
#include "e2e/control_group.hpp"
#include "e2e/faults/resources.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"
#include "e2e/talkers.hpp"

using namespace penstock::e2e;

namespace {

constexpr const char* no_controller = "no memory controller of cgroup v1";

bool is_paused(const Penstock& penstock) {
  return http(penstock.admin(), "GET", "/status").body.find("\"accepting_paused\":true") !=
         std::string::npos;
}

std::size_t active(const Penstock& penstock) {
  return static_cast<std::size_t>(penstock.metrics().sum("penstock_connections_active"));
}

std::vector<Peer> take_everybody(Origin& origin, const Penstock& penstock) {
  std::vector<Peer> upstreams;
  const std::size_t all = active(penstock);
  while (upstreams.size() < all) upstreams.push_back(origin.accept());
  return upstreams;
}

// Every client sends more than the proxy and the kernel will hold.
std::size_t send_what_fits(std::vector<Peer>& clients) {
  const std::string_view bytes = payload(run_seed(), 64 << 10);
  std::size_t total = 0;
  for (int round = 0; round < 4; ++round)
    for (Peer& client : clients) total += client.send_now(bytes);
  return total;
}

}  // namespace

TEST_CASE("C5 a control group with 64 MiB of memory", "[faults][c]") {
  if (skip_unless(can_make_group("memory"), no_controller)) return;
  Scenario scenario{"C5", "64 MiB of memory, 2500 clients who send, and nobody who reads",
                    "what does not fit waits in the backlog and is served later; nobody is killed"};
  constexpr std::size_t all = 2500;
  ControlGroup group{"memory"};
  group.set("memory.limit_in_bytes", "64M");
  Origin origin{free_address(), {.receive_buffer = 4096}};
  Penstock penstock{{.endpoints = {origin.address()},
                     .defaults = "send_buffer: 4KiB, abort_linger: 100ms",
                     .relay = "engine: copy",
                     .events = "",
                     .program = {.control_group = group.processes()}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  std::vector<Peer> clients;
  for (std::size_t i = 0; i < all; ++i) clients.push_back(penstock.client());
  wait_until("accepting is paused", [&] { return is_paused(penstock); });
  const std::size_t admitted = active(penstock);
  std::vector<Peer> upstreams = take_everybody(origin, penstock);
  const std::size_t sent = send_what_fits(clients);
  REQUIRE(penstock.program().running());
  const double mebibytes = static_cast<double>(group.get("memory.max_usage_in_bytes")) / (1 << 20);
  CHECK(admitted < all);
  CHECK(active(penstock) == admitted);
  // Who waited gets the places of those who go.
  for (std::size_t i = 0; i < admitted; ++i) clients[i].reset();
  wait_until("everybody was accepted",
             [&] { return penstock.metrics().sum("penstock_connections_accepted_total") == all; });
  CHECK(group.get("memory.oom_control", "oom_kill") == 0);
  for (std::size_t i = admitted; i < all; ++i) clients[i].reset();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("accepting paused at {} connections, {} waited and were accepted later; "
                  "{} MiB were on their way; the group's peak was {:.0f} MiB, {} times at "
                  "its limit, 0 killed",
                  admitted, all - admitted, sent >> 20, mebibytes, group.get("memory.failcnt")));
}

TEST_CASE("C7 the kernel has little memory for TCP", "[faults][c]") {
  if (skip_unless(can_make_group("memory"), no_controller)) return;
  Scenario scenario{"C7", "1 MiB of TCP memory for all sockets of the proxy, 40 connections",
                    "slow, perhaps; every byte arrives, nothing is stuck"};
  ControlGroup group{"memory"};
  group.set("memory.kmem.tcp.limit_in_bytes", "1M");
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .program = {.control_group = group.processes()}}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const auto begun = Clock::now();
  converse({.connect_to = penstock.address(),
            .origin = origin.descriptor(),
            .connections = 40,
            .bytes_max = 1 << 20,
            .seed = run_seed()});
  const std::chrono::duration<double> took = Clock::now() - begun;
  penstock.wait_until_rest();
  const std::uint64_t peak = group.get("memory.kmem.tcp.max_usage_in_bytes");
  CHECK(peak >= 1 << 20);
  for (const Record& record : penstock.records()) CHECK(text_of(record, "reason") == "complete");
  scenario.settle();
  scenario.saw(
      fmt::format("40 of 40 conversations byte for byte in {:.1f} s; the peak of TCP memory "
                  "was {} KiB",
                  took.count(), peak >> 10));
}

namespace {

double closed_for_overload(const Penstock& penstock) {
  return penstock.metrics().sum("penstock_connections_closed_total", {{"reason", "overload"}});
}

struct Starvation {
  std::size_t served = 0;
  std::size_t refused = 0;
};

// Opens connections that stay, until `enough` were refused for want of memory.
Starvation starve(const Penstock& penstock, Origin& origin, std::vector<Peer>& held,
                  std::size_t enough) {
  Starvation seen;
  while (seen.refused < enough && seen.served < 6000) {
    Peer client = penstock.client();
    wait_until("served or refused",
               [&] { return origin.somebody_waits() || client.ending() != Ending::open; });
    if (client.ending() == Ending::open) {
      held.push_back(origin.accept());
      held.push_back(std::move(client));
      ++seen.served;
    } else {
      ++seen.refused;
    }
  }
  return seen;
}

}  // namespace

TEST_CASE("C15 the process gets no more memory", "[faults][c]") {
  Scenario scenario{
      "C15", "RLIMIT_DATA leaves 100 KiB more than what is used",
      "a connection without memory gets RST; the process lives, or ends by a sentence"};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()}, .runtime = "forwarders: 1", .events = ""}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const auto data = std::stoul(penstock.program().status_line("VmData")) << 10;
  set_soft_limit(penstock.program().id(), RLIMIT_DATA, data + (100 << 10));
  std::vector<Peer> held;
  const Starvation seen = starve(penstock, origin, held, 50);
  // Control asks for memory for every page; it has had some from the start.
  std::size_t pages = 0;
  for (; pages < 50 && penstock.program().running(); ++pages)
    CHECK(http(penstock.admin(), "GET", "/metrics").status == 200);
  REQUIRE(penstock.program().running());
  CHECK(closed_for_overload(penstock) == 50);
  set_soft_limit(penstock.program().id(), RLIMIT_DATA, std::size_t{1} << 40);
  Peer late = penstock.client();
  held.push_back(origin.accept());
  late.send("memory");
  CHECK(held.back().read(6) == "memory");
  held.clear();
  late.close();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} served, {} refused by RST as overload, {} admin pages answered "
                  "meanwhile; served again once there is memory",
                  seen.served, seen.refused, pages));
}

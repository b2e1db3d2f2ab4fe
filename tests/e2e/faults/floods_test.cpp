// C8, C10, C16: strangers who ask for more than their share.

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "e2e/faults/far_host.hpp"
#include "e2e/faults/resources.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/traffic.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

// A counter of /proc/net/netstat, whose lines come in pairs: names, then values.
long kernel_counter(const std::string& name) {
  std::ifstream file{"/proc/thread-self/net/netstat"};
  for (std::string names, values; std::getline(file, names) && std::getline(file, values);) {
    std::istringstream name_fields{names}, value_fields{values};
    std::string found, value;
    while (name_fields >> found && value_fields >> value)
      if (found == name) return std::stol(value);
  }
  throw Failure{"the kernel does not count " + name};
}

}  // namespace

TEST_CASE("C8 a flood of SYNs from nowhere", "[faults][c]") {
  if (!network_is_ours() || skip_without({"hping3", "ip", "tc"})) return;
  Scenario scenario{"C8", "20,000 SYNs a second from invented addresses; then a full accept queue",
                    "real clients are served by SYN cookies; nobody who waits is lost"};
  FarHost far;
  REQUIRE(run_program({"ip", "route", "add", "default", "via", "10.77.0.2"}).exit_code == 0);
  Origin origin;
  origin.serve(echo);
  const std::string port = port_of(free_address());
  Penstock penstock{
      {.endpoints = {origin.address()}, .bind = far.our_address(port), .listener = "backlog: 128"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const long cookies = kernel_counter("SyncookiesSent");
  const long used = kernel_counter("SyncookiesRecv");
  const auto flood = [&] {
    const FarHost::Visit visit{far};
    return std::make_unique<Program>(std::vector<std::string>{
        "hping3", "-q", "-S", "-i", "u50", "--rand-source", "-p", port, "10.77.0.1"});
  }();
  wait_until("cookies are sent", [&] { return kernel_counter("SyncookiesSent") > cookies; });
  const TrafficReport report = [&] {
    const FarHost::Visit visit{far};
    return measure_traffic(penstock.address(), 300);
  }();
  REQUIRE(flood->running());
  const long flooded = kernel_counter("SyncookiesSent") - cookies;
  INFO(report.first_failure);
  CHECK(report.failures == 0);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} of {} clients served during the flood, {} cookies sent, {} came back",
                  report.exchanges - report.failures, report.exchanges, flooded,
                  kernel_counter("SyncookiesRecv") - used));
}

TEST_CASE("C8 more clients than the accept queue holds", "[faults][c]") {
  if (skip_unless(network_is_ours(), "the network is not ours alone")) return;
  Scenario scenario{"C8b", "a stopped proxy, 40 clients, an accept queue of 8",
                    "SYNs are dropped, not reset; once it runs, every client is served"};
  Origin origin;
  origin.serve(say("served"));
  Penstock penstock{{.endpoints = {origin.address()}, .listener = "backlog: 8"}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const long overflows = kernel_counter("ListenOverflows");
  penstock.program().signal(SIGSTOP);
  std::vector<Peer> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(Peer::begin_connecting(penstock.address()));
  wait_until("the queue overflows", [&] { return kernel_counter("ListenOverflows") > overflows; });
  const auto queued = std::count_if(clients.begin(), clients.end(),
                                    [](const Peer& client) { return client.connected(); });
  penstock.program().signal(SIGCONT);
  std::size_t served = 0;
  for (Peer& client : clients) {
    wait_until("the client is let in", [&] { return client.connected(); });
    client.finish_sending();
  }
  for (Peer& client : clients) served += client.receive_all().bytes == "served" ? 1 : 0;
  CHECK(served == clients.size());
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format("{} in the queue, {} overflows counted, {} of 40 served", queued,
                           kernel_counter("ListenOverflows") - overflows, served));
}

TEST_CASE("C10 clients that read a few bytes at a time", "[faults][c]") {
  Scenario scenario{"C10", "100 clients with small windows, 16 bytes a read; the endpoint pushes",
                    "a bounded number of bytes held for each; all are served to the end"};
  Origin origin;
  Penstock penstock{{.endpoints = {origin.address()},
                     .defaults = "send_buffer: 64KiB, receive_buffer: 64KiB",
                     .runtime = "forwarders: 1, drain: {timeout: 5s}",
                     .events = ""}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const long resident = resident_kib(penstock.program().id());
  const std::string_view bytes = payload(run_seed(), 4 << 20);
  std::vector<Peer> clients, upstreams;
  std::vector<std::size_t> sent;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(penstock.client({.receive_buffer = 4096}));
    upstreams.push_back(origin.accept());
    sent.push_back(0);
  }
  std::vector<std::string> got(clients.size());
  for (int round = 0; round < 20; ++round)
    for (std::size_t i = 0; i < clients.size(); ++i) {
      sent[i] += upstreams[i].send_now(bytes.substr(sent[i]));
      if (sent[i] > 0) got[i] += clients[i].read(16);
    }
  const long held = resident_kib(penstock.program().id()) - resident;
  const std::size_t taken = *std::max_element(sent.begin(), sent.end());
  CHECK(taken < 4 << 20);
  // One held buffer, or a pipe, which is none of ours; and a record.
  CHECK(held < 100 * 80);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    upstreams[i].finish_sending();
    got[i] += clients[i].read_to_end();
    const bool equal = got[i] == bytes.substr(0, sent[i]);
    REQUIRE(equal);
  }
  clients.clear();
  upstreams.clear();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("at most {} KiB were taken for one of them by the proxy and the kernel, "
                  "{:.1f} KiB of resident memory each; 100 of 100 got every byte",
                  taken >> 10, static_cast<double>(held) / 100));
}

TEST_CASE("C16 a thousand slow scrapers at the admin address", "[faults][c]") {
  Scenario scenario{"C16", "1000 connections to the admin address that never finish a request",
                    "64 are held for at most 10 s, the others closed; traffic goes on"};
  Origin origin;
  origin.serve(echo);
  Penstock penstock{{.endpoints = {origin.address()}, .events = ""}};
  scenario.watch(penstock.program(), {penstock.address(), origin.address()});
  const auto measure = [&] {
    const TrafficReport report = measure_traffic(penstock.address(), 1500);
    INFO(report.first_failure);
    CHECK(report.failures == 0);
    return quantile(report.milliseconds, 0.99);
  };
  const double usual = measure();
  std::vector<Peer> scrapers;
  for (int i = 0; i < 1000; ++i) {
    scrapers.push_back(Peer::connect(penstock.admin()));
    try {
      scrapers.back().send("GET /metrics HTTP/1.1\r\nX-Slow: ");
    } catch (const Failure&) {
      // Closed already.
    }
  }
  const auto open = [&] {
    return std::count_if(scrapers.begin(), scrapers.end(),
                         [](const Peer& peer) { return peer.ending() == Ending::open; });
  };
  wait_until("all but 64 are closed", [&] { return open() <= 64; });
  const auto held = open();
  const double beside = measure();
  // Those who are held get their answer: too slow.
  wait_until("nobody is held any more", [&] { return open() == 0; });
  std::size_t told = 0;
  for (Peer& scraper : scrapers)
    told += scraper.receive_all(1s).bytes.starts_with("HTTP/1.1 408") ? 1 : 0;
  CHECK(told == 64);
  scrapers.clear();
  CHECK(http(penstock.admin(), "GET", "/healthz").status == 200);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} held, {} told 408 in the end, the others closed; 1500 exchanges "
                  "beside them without a failure, p99 {:.1f} times the usual",
                  held, told, beside / usual));
}

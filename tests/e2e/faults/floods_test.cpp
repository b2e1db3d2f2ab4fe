// C8, C10, C16: strangers who ask for more than their share.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <sstream>

#include "e2e/faults/far_host.hpp"
#include "e2e/faults/resources.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/traffic.hpp"
#include "e2e/house.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/payload.hpp"
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
  House house{
      {.endpoints = {origin.address()}, .bind = far.our_address(port), .listener = "backlog: 128"}};
  scenario.watch(house.program(), {house.address(), origin.address()});
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
    return measure_traffic(house.address(), 300);
  }();
  REQUIRE(flood->running());
  const long flooded = kernel_counter("SyncookiesSent") - cookies;
  INFO(report.first_failure);
  CHECK(report.failures == 0);
  house.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} of {} clients served during the flood, {} cookies sent, {} came back",
                  report.exchanges - report.failures, report.exchanges, flooded,
                  kernel_counter("SyncookiesRecv") - used));
}

TEST_CASE("C16 a thousand slow scrapers at the admin address", "[faults][c]") {
  Scenario scenario{"C16", "1000 connections to the admin address that never finish a request",
                    "64 are held for at most 10 s, the others closed; traffic goes on"};
  Origin origin;
  origin.serve(echo);
  House house{{.endpoints = {origin.address()}, .events = ""}};
  scenario.watch(house.program(), {house.address(), origin.address()});
  const auto measure = [&] {
    const TrafficReport report = measure_traffic(house.address(), 1500);
    INFO(report.first_failure);
    CHECK(report.failures == 0);
    return quantile(report.milliseconds, 0.99);
  };
  const double usual = measure();
  std::vector<Peer> scrapers;
  for (int i = 0; i < 1000; ++i) {
    scrapers.push_back(Peer::connect(house.admin()));
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
  CHECK(http(house.admin(), "GET", "/healthz").status == 200);
  house.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} held, {} told 408 in the end, the others closed; 1500 exchanges "
                  "beside them without a failure, p99 {:.1f} times the usual",
                  held, told, beside / usual));
}

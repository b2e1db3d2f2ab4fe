// One measurement of one proxy: origin and clients in this process, the proxy in another.
//
//   load --port 9101 --origin-port 9001 --pids 123 --work ping-pong --connections 64 --bytes 64
//   load --port 9101 --origin-port 9001 --pids 123 --work bulk --connections 1 --reads
//   load --port 9101 --origin-port 9001 --pids 123 --bytes 64,64,16384,262144
//
// Work: ping-pong, bulk (origin to client; without --reads the client discards in the kernel), mice
// (ping-pong beside one bulk stream, which comes through --elephant-port from
// --elephant-origin-port), connect (connect, one exchange, close), idle (resident bytes for each
// idle connection). `origin` is the origin alone, until its input ends; the others are then told
// --origin-elsewhere, so that each of the three has descriptors of its own. Prints one JSON object:
// what was moved, the CPU time of the proxy and of the whole machine in the window after the
// warm-up, latencies per request and, where connections ask again, how evenly they were served.
// Times and rates are for comparing within one run only.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <thread>

#include "clients.hpp"
#include "origin.hpp"

using namespace penstock::bench;

namespace {

struct Plan {
  std::uint16_t port = 0;
  std::uint16_t origin_port = 0;
  std::uint16_t elephant_port = 0;
  std::uint16_t elephant_origin_port = 0;
  std::string process_ids;
  std::string work = "ping-pong";
  std::size_t connections = 64;
  std::vector<std::size_t> sizes{64};
  std::string address = "127.0.0.1";
  std::uint16_t ports = 1;
  bool origin_elsewhere = false;
  bool reads = false;
  double warm_seconds = 0.2;
  double seconds = 1;
};

struct Usage {
  double proxy = 0;
  double acceptor = 0;  // the part of threads that only accept, where the proxy has such
  double machine = 0;
};

Usage usage_of(const Plan& plan) {
  return {.proxy = cpu_seconds_of(plan.process_ids),
          .acceptor = cpu_seconds_of(plan.process_ids, "acceptor"),
          .machine = cpu_seconds_of_machine()};
}

double percentile(std::vector<std::uint32_t>& values, double share) {
  if (values.empty()) return 0;
  const auto place = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place),
                   values.end());
  return values[place] * 1e-3;
}

Seen drive(const Plan& plan, Clock::time_point warm, Clock::time_point end) {
  const Target proxy{.port = plan.port, .address = plan.address, .ports = plan.ports};
  if (plan.work == "bulk") return receive_bulk(proxy, plan.connections, plan.reads, warm, end);
  if (plan.work == "connect")
    return connect_again(proxy, plan.connections, plan.sizes.front(), warm, end);
  return ping_pong(proxy, plan.connections, plan.sizes, warm, end);
}

// What is appended to the JSON object.
std::string fairness_text(const Seen& seen) {
  if (seen.services.empty()) return {};
  const Fairness fairness = fairness_of(seen.services);
  return fmt::format(
      ",\"fewest_exchanges\":{},\"median_exchanges\":{},\"most_exchanges\":{},"
      "\"longest_gap_us\":{:.1f}",
      fairness.fewest, fairness.median, fairness.most,
      std::chrono::duration<double, std::micro>(fairness.longest_gap).count());
}

void measure(const Plan& plan) {
  using std::chrono::duration;
  using std::chrono::duration_cast;
  std::optional<Origin> origin;
  if (!plan.origin_elsewhere)
    origin.emplace(plan.work == "bulk" ? Origin::Kind::source : Origin::Kind::reply,
                   plan.origin_port, plan.sizes);
  std::unique_ptr<Origin> elephant;
  const auto start = Clock::now();
  const auto warm = start + duration_cast<Clock::duration>(duration<double>(plan.warm_seconds));
  const auto end = warm + duration_cast<Clock::duration>(duration<double>(plan.seconds));
  std::thread beside;
  Seen heavy;
  if (plan.work == "mice") {
    elephant = std::make_unique<Origin>(Origin::Kind::source, plan.elephant_origin_port,
                                        std::vector<std::size_t>{1});
    const Target proxy{.port = plan.elephant_port, .address = plan.address};
    beside = std::thread{[=, &heavy] { heavy = receive_bulk(proxy, 1, false, warm, end); }};
  }
  Usage before;
  Usage after;
  std::thread meter{[&] {
    std::this_thread::sleep_until(warm);
    before = usage_of(plan);
    std::this_thread::sleep_until(end);
    after = usage_of(plan);
  }};
  Seen seen = drive(plan, warm, end);
  meter.join();
  if (beside.joinable()) beside.join();
  fmt::print(
      "{{\"seconds\":{},\"bytes\":{},\"exchanges\":{},\"p50_us\":{:.1f},\"p99_us\":{:.1f},"
      "\"elephant_bytes\":{},\"proxy_cpu\":{:.6f},\"acceptor_cpu\":{:.6f},"
      "\"machine_cpu\":{:.6f}{}}}\n",
      plan.seconds, seen.bytes, seen.exchanges, percentile(seen.latencies_ns, 0.5),
      percentile(seen.latencies_ns, 0.99), heavy.bytes, after.proxy - before.proxy,
      after.acceptor - before.acceptor, after.machine - before.machine, fairness_text(seen));
}

void measure_idle(const Plan& plan) {
  const Origin origin{Origin::Kind::reply, plan.origin_port, {1}};
  const std::uint64_t before = resident_bytes_of(plan.process_ids);
  const auto sockets = open_idle({.port = plan.port, .address = plan.address}, plan.connections);
  const std::uint64_t after = resident_bytes_of(plan.process_ids);
  fmt::print("{{\"connections\":{},\"resident_bytes\":{}}}\n", sockets.size(),
             after > before ? after - before : 0);
}

void serve(const Plan& plan) {
  const Origin origin{Origin::Kind::reply, plan.origin_port, plan.sizes};
  while (std::getchar() != EOF) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  CLI::App app{"One measurement of one proxy; see the head of tests/bench/load.cpp."};
  app.add_option("--port", plan.port, "where the proxy listens");
  app.add_option("--origin-port", plan.origin_port, "where the proxy sends it")->required();
  app.add_option("--elephant-port", plan.elephant_port, "of the bulk stream beside the mice");
  app.add_option("--elephant-origin-port", plan.elephant_origin_port, "likewise");
  app.add_option("--pids", plan.process_ids, "of the proxy, with commas");
  app.add_option("--work", plan.work)
      ->check(CLI::IsMember({"ping-pong", "bulk", "mice", "connect", "idle", "origin"}));
  app.add_option("--connections", plan.connections);
  app.add_option("--bytes", plan.sizes, "of each exchange; or several, in turn")->delimiter(',');
  app.add_option("--address", plan.address, "of the proxy");
  app.add_option("--ports", plan.ports, "so many from --port on, in turn");
  app.add_flag("--origin-elsewhere", plan.origin_elsewhere, "another process serves --origin-port");
  app.add_flag("--reads", plan.reads);
  app.add_option("--warm", plan.warm_seconds, "seconds before the window");
  app.add_option("--seconds", plan.seconds, "of the window");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);  // sendfile to a connection that has just gone
  if (plan.work == "origin")
    serve(plan);
  else if (plan.work == "idle")
    measure_idle(plan);
  else
    measure(plan);
}

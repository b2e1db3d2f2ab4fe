// What health checks cost, and how evenly they are spread: a HealthWatch over many endpoints on
// loopback, 127.1.0.0/16, which another process serves.
//
//   build/bench/tests/bench/health --endpoints 1000 --type tcp --seconds 20
//   build/bench/tests/bench/health --endpoints 1000 --type http --seconds 20
//   build/bench/tests/bench/health --type tls --port 4433    a server of one's own, on 0.0.0.0

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "health/watch.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "upstream/live_record.hpp"

namespace {

using namespace penstock;
using std::chrono::milliseconds;

struct Work {
  std::string type = "tcp";
  int endpoints = 1000;
  int interval_ms = 2000;
  int seconds = 20;
  std::uint16_t port = 0;  // 0: this program serves
};

struct Seen {
  std::map<std::string_view, int> results;
  std::vector<int> per_100_ms;
  int judged = 0;
};

// One connection after the other: a check is over before the next one matters.
[[noreturn]] void serve(int listener) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::fcntl(listener, F_SETFL, 0);  // blocking
  constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  while (true) {
    const int socket = ::accept(listener, nullptr, nullptr);
    if (socket < 0) continue;
    std::array<char, 4096> bytes;
    while (::recv(socket, bytes.data(), bytes.size(), 0) > 0)
      ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(socket);
  }
}

os::SocketAddress endpoint_address(int index, std::uint16_t port) {
  os::IpEndpoint ip;
  ip.family = os::IpEndpoint::Family::v4;
  ip.bytes = {127, 1, static_cast<std::uint8_t>(index >> 8), static_cast<std::uint8_t>(index)};
  ip.port = port;
  return os::SocketAddress{ip};
}

upstream::HealthSpec spec_of(const Work& work) {
  upstream::HealthSpec spec;
  spec.type = *upstream::check_type_names.find(work.type);
  spec.interval = milliseconds{work.interval_ms};
  return spec;
}

void tell(const Work& work, const Seen& seen, base::Duration cpu) {
  const double cpu_us = static_cast<double>(cpu.count()) / 1e3;
  int checks = 0;
  for (const auto& [result, count] : seen.results) {
    fmt::print("{}: {}\n", result, count);
    checks += count;
  }
  fmt::print(
      "{} endpoints, {} every {} ms: {} checks in {} s, {:.1f} us of CPU each, {:.2f} % of "
      "a core; {} judged\n",
      work.endpoints, work.type, work.interval_ms, checks, work.seconds, cpu_us / checks,
      cpu_us / 1e4 / work.seconds, seen.judged);
  std::vector<int> sorted = seen.per_100_ms;
  std::sort(sorted.begin(), sorted.end());
  fmt::print("checks per 100 ms: least {}, median {}, most {}\n", sorted.front(),
             sorted[sorted.size() / 2], sorted.back());
  for (std::size_t i = 0; i < seen.per_100_ms.size(); ++i)
    fmt::print("{}{}", seen.per_100_ms[i], i % 20 == 19 ? '\n' : ' ');
  fmt::print("\n");
}

void measure(const Work& work, std::uint16_t port) {
  os::raise_descriptor_limit();
  boost::asio::io_context io{1};
  std::deque<upstream::LiveRecord> records;
  std::vector<upstream::LiveRecord*> endpoints;
  for (int i = 0; i < work.endpoints; ++i) {
    const os::SocketAddress address = endpoint_address(i, port);
    endpoints.push_back(&records.emplace_back(static_cast<std::uint32_t>(i), "bench",
                                              address.to_string(), address));
  }
  const std::chrono::seconds duration{work.seconds};
  Seen seen;
  seen.per_100_ms.resize(static_cast<std::size_t>(duration / milliseconds{100}));
  const base::Instant start = os::now();
  health::HealthWatch watch{
      io,
      {[&](upstream::LiveRecord&, upstream::CheckResult result) {
         ++seen.results[upstream::check_result_names[result]];
         const auto slot = static_cast<std::size_t>((os::now() - start) / milliseconds{100});
         if (slot < seen.per_100_ms.size()) ++seen.per_100_ms[slot];
       },
       [&](upstream::LiveRecord&, upstream::Health, const std::string&) { ++seen.judged; }},
      1};
  const base::Duration before = os::thread_cpu_time();
  watch.follow("bench", spec_of(work), endpoints);
  io.run_for(duration);
  tell(work, seen, os::thread_cpu_time() - before);
}

}  // namespace

int main(int argc, char** argv) {
  Work work;
  CLI::App app{"What health checks cost"};
  app.add_option("--type", work.type)->check(CLI::IsMember({"tcp", "http", "tls"}));
  app.add_option("--endpoints", work.endpoints)->check(CLI::Range(1, 65536));
  app.add_option("--interval", work.interval_ms, "milliseconds")->check(CLI::Range(10, 600000));
  app.add_option("--seconds", work.seconds)->check(CLI::Range(1, 600));
  app.add_option("--port", work.port, "of a server that runs already; tls needs one");
  CLI11_PARSE(app, argc, argv);
  if (work.port != 0) {
    measure(work, work.port);
    return 0;
  }
  const auto everywhere = *os::parse_socket_address("0.0.0.0:1");
  os::IpEndpoint any = everywhere.ip();
  any.port = 0;
  auto listener = os::listen_on(os::SocketAddress{any}, {}, {});
  if (!listener) {
    fmt::print(stderr, "{}\n", listener.error());
    return 1;
  }
  const std::uint16_t port = os::local_endpoint(listener->get()).port;
  const pid_t server = ::fork();
  if (server == 0) serve(listener->get());
  measure(work, port);
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
}

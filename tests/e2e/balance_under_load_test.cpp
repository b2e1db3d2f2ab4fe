// Endpoints are killed, drained, removed and come back under load: no client is refused.

#include <atomic>
#include <filesystem>
#include <thread>

#include "catch.hpp"
#include "e2e/echo_process.hpp"
#include "e2e/penstock.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;

namespace {

// Clients that connect, exchange a few bytes and close, again and again.
//
// The rule: a connection has failed where it was refused, reset, closed or not answered before its
// first exchange. A connection that stood with the killed process, or lay in its accept queue, at
// that moment is lost by nature: no proxy can give it another server, since bytes may have been
// read. Therefore connections that overlap with the kill, from before the signal until the process
// is gone, are counted apart, as `at_the_kill`; all that begin later or end earlier must succeed.
class Crowd {
 public:
  static constexpr int threads = 4;
  static constexpr int connections = 1000;  // of each thread

  explicit Crowd(const std::string& address) : address_{address} {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([this] {
        for (int n = 0; n < connections; ++n) connect_once();
      });
  }
  ~Crowd() { join(); }
  void join() {
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }

  void wait_for_share(double share) const {
    wait_until(
        "so many connections were made", [&] { return done_ >= threads * connections * share; },
        60s);
  }
  // Around the kill.
  void kill_begins() { kills_ = 1; }
  void kill_is_over() { kills_ = 2; }

  int failed() const { return failed_; }
  int at_the_kill() const { return at_the_kill_; }
  std::string first_failure() const { return first_failure_; }

 private:
  void connect_once() {
    const int before = kills_;
    try {
      Peer client = Peer::connect(address_);
      client.send("hello");
      if (client.read(5) != "hello") throw Failure{"other bytes"};
    } catch (const Failure& failure) {
      const bool overlaps = kills_ != before || before == 1;
      const int earlier = overlaps ? at_the_kill_++ : failed_++;
      if (!overlaps && earlier == 0) first_failure_ = failure.what();
    }
    ++done_;
  }

  const std::string address_;
  std::atomic<int> kills_{0};
  std::atomic<int> done_{0};
  std::atomic<int> failed_{0};
  std::atomic<int> at_the_kill_{0};
  std::string first_failure_;
  std::vector<std::thread> threads_;
};

// At rest nobody holds a place and nobody stands in line.
void expect_balanced_books(const Penstock& penstock) {
  wait_until("all places are given back", [&] {
    const Metrics metrics = penstock.metrics();
    return metrics.sum("penstock_upstream_connections_active") == 0 &&
           metrics.sum("penstock_upstream_queue_length") == 0 &&
           metrics.sum("penstock_connections_accepted_total") ==
               metrics.sum("penstock_connections_closed_total");
  });
}

}  // namespace

TEST_CASE("no connection fails while one of three endpoints is killed under load", "[balance]") {
  const std::string upstream = GENERATE(
      "balance: round_robin", "health_check: {interval: 50ms, timeout: 5s, fall: 2}",
      "outlier: {consecutive_failures: 3, ejection: 200ms}",
      "balance: least_connections, health_check: {interval: 50ms}, outlier: {ejection: 200ms}");
  INFO(upstream);
  EchoProcess a;
  EchoProcess b;
  EchoProcess c;
  Penstock penstock{{.endpoints = {a.address() + " a", b.address() + " b", c.address() + " c"},
                     .upstream = upstream,
                     .runtime = "forwarders: 2, drain: {timeout: 5s}"}};
  for (const char* name : {"a", "b", "c"}) wait_for_state(penstock, name, "up");
  Crowd crowd{penstock.address()};
  crowd.wait_for_share(0.3);
  crowd.kill_begins();
  b.kill();
  crowd.kill_is_over();
  crowd.wait_for_share(0.6);
  const double before =
      endpoint_of(penstock, "b").at("totals").at("connections").to_number<double>();
  b.start();
  crowd.join();
  INFO(crowd.first_failure());
  CHECK(crowd.failed() == 0);
  CHECK(crowd.at_the_kill() <= Crowd::threads * 10);  // the others went on
  wait_for_state(penstock, "b", "up");
  wait_until("it is used again", [&] {
    Peer::connect(penstock.address());
    return endpoint_of(penstock, "b").at("totals").at("connections").to_number<double>() > before;
  });
  expect_balanced_books(penstock);
}

TEST_CASE("no connection fails while endpoints come and go under load", "[balance]") {
  const std::string upstream =
      GENERATE("on_remove: keep", "balance: maglev, on_remove: drain",
               "balance: least_connections, health_check: {interval: 50ms}, slow_start: 1s");
  INFO(upstream);
  EchoProcess a;
  EchoProcess b;
  const TemporaryFolder folder;
  const std::string both = "- " + a.address() + "\n- {address: " + b.address() + ", weight: 2}\n";
  const std::string file = folder.write("endpoints.yaml", both);
  Penstock penstock{{.endpoints = {"{file: \"" + file + "\"}"},
                     .upstream = upstream,
                     .runtime = "forwarders: 2, drain: {timeout: 5s}"}};
  wait_for_state(penstock, a.address(), "up");
  wait_for_state(penstock, b.address(), "up");
  Crowd crowd{penstock.address()};
  const auto change = [&](const std::string& text, std::vector<std::string> identities) {
    std::filesystem::rename(folder.write("new.yaml", text), file);
    wait_for_endpoints(penstock, std::move(identities));
  };
  for (int i = 0; i < 3; ++i) {
    change("- " + a.address() + "\n", {a.address()});
    change(both, {a.address(), b.address()});
    wait_for_state(penstock, b.address(), "up");  // else the next list would be unknown alone
    change("- " + b.address() + "\n", {b.address()});
    change(both, {a.address(), b.address()});
    wait_for_state(penstock, a.address(), "up");
  }
  crowd.join();
  INFO(crowd.first_failure());
  CHECK(crowd.failed() == 0);
  CHECK(crowd.at_the_kill() == 0);
  expect_balanced_books(penstock);
}

TEST_CASE("no connection fails while an operator drains one endpoint after another under load",
          "[balance]") {
  EchoProcess a;
  EchoProcess b;
  Penstock penstock{{.endpoints = {a.address() + " a", b.address() + " b"},
                     .upstream = "max_connections: 3, queue: {size: 100}",
                     .runtime = "forwarders: 2, drain: {timeout: 5s}"}};
  Crowd crowd{penstock.address()};
  for (int i = 0; i < 3; ++i)
    for (const char* name : {"a", "b"}) {
      steer(penstock, name, "drain");
      steer(penstock, name, "up");
    }
  crowd.join();
  INFO(crowd.first_failure());
  CHECK(crowd.failed() == 0);
  expect_balanced_books(penstock);
}

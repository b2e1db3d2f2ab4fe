// C2, C3, C17: system calls that fail as they do in a kernel in trouble.

#include <fmt/format.h>

#include <algorithm>

#include "catch.hpp"
#include "e2e/faults/exchange.hpp"
#include "e2e/faults/resources.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/faults/tracer.hpp"
#include "e2e/penstock.hpp"
#include "e2e/servers.hpp"

using namespace penstock::e2e;

namespace {

// A system call of a connection's life, and how the kernel may refuse it. Left out are the calls
// that cannot fail so: close() gives the descriptor back whatever it answers (strace would keep the
// kernel from it), an eventfd always takes a wake-up, and epoll_wait knows but EINTR, which is A8.
struct Call {
  const char* name;
  std::vector<const char*> errors;
};

const std::vector<Call>& calls_of_forwarder() {
  static const std::vector<Call> calls{
      {"epoll_ctl", {"ENOSPC", "ENOMEM"}},
      {"socket", {"EMFILE", "ENFILE", "ENOBUFS"}},
      {"setsockopt", {"ENOMEM", "ENOBUFS", "EPERM"}},
      {"connect", {"EADDRNOTAVAIL", "ECONNREFUSED", "ENETUNREACH"}},
      {"getsockopt", {"ENOBUFS", "ENOMEM"}},
      {"getsockname", {"ENOBUFS"}},
      {"getpeername", {"ENOTCONN", "ENOBUFS"}},
      {"recvfrom", {"ECONNRESET", "ENOMEM", "ETIMEDOUT", "EINTR"}},
      {"sendto", {"EPIPE", "ENOBUFS", "ECONNRESET", "EINTR"}},
      {"splice", {"ENOMEM", "EINVAL", "ECONNRESET", "EPIPE", "EINTR"}},
      {"ioctl", {"ENOMEM"}},
      {"shutdown", {"ENOTCONN", "ENOBUFS"}},
  };
  return calls;
}

// Only the first connection of a forwarder opens pipes and grows pools: the next one finds them
// warm.
const std::vector<Call>& calls_of_first_connection() {
  static const std::vector<Call> calls{
      {"pipe2", {"EMFILE", "ENFILE", "ENOMEM"}},
      {"fcntl", {"EPERM", "ENOMEM", "EBUSY"}},
      {"mmap", {"ENOMEM"}},
      {"mprotect", {"ENOMEM"}},
      {"brk", {"ENOMEM"}},
  };
  return calls;
}

const std::vector<Call>& calls_of_acceptor() {
  static const std::vector<Call> calls{
      {"accept4", {"EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ECONNABORTED", "EPERM", "EINTR"}},
  };
  return calls;
}

// Everything but the pipes, whose number the pool knows.
std::map<std::string, std::size_t> without_pipes(int process) {
  auto kinds = descriptors_by_kind(process);
  kinds.erase("pipe");
  return kinds;
}

struct Tally {
  std::size_t points = 0;
  std::size_t whole = 0;  // connections that did not suffer
  std::size_t cut = 0;
  std::size_t leaks = 0;
};

// One living proxy, in which calls are made to fail.
class Victim {
 public:
  Victim(Exchanger& exchanger, Tally& tally, const std::string& defaults)
      : exchanger_{exchanger},
        tally_{tally},
        penstock_{{.endpoints = {exchanger.address()},
                   .defaults = defaults,
                   .runtime = "forwarders: 1, drain: {timeout: 5s}"}},
        process_{penstock_.program().id()} {
    note_baseline();
  }

  // How often one connection makes each call of a thread.
  std::string count(const std::string& thread) {
    Tracer tracer = Tracer::of_thread(thread_named(process_, thread), {"-c"});
    REQUIRE(exchanger_.run(penstock_.address()).whole);
    penstock_.wait_until_rest();
    std::string text;
    for (const auto& [name, count] : tracer.counts())
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count.calls, name);
    return text;
  }

  // The k-th call of one connection fails. False where the connection makes fewer of them.
  bool fail_once(const std::string& thread, const std::string& call, const std::string& error,
                 std::size_t k) {
    INFO(call << " number " << k << " of " << thread << " fails with " << error);
    const std::string inject = fmt::format("inject={}:error={}:when={}", call, error, k);
    Tracer tracer =
        Tracer::of_thread(thread_named(process_, thread), {"-e", "trace=" + call, "-e", inject});
    const Exchange exchange = exchanger_.run(penstock_.address());
    CHECK_FALSE(exchange.stuck);
    CHECK(exchange.honest);
    penstock_.wait_until_rest();
    tracer.detach();
    if (tracer.injected() == 0) return false;
    ++tally_.points;
    ++(exchange.whole ? tally_.whole : tally_.cut);
    check_after();
    return true;
  }

  // Every connection that was accepted was also counted out, and for a reason that is the world's.
  void check_books() {
    const Metrics metrics = penstock_.metrics();
    CHECK(metrics.sum("penstock_connections_accepted_total") ==
          metrics.sum("penstock_connections_closed_total"));
    CHECK(metrics.sum("penstock_connections_closed_total", {{"reason", "internal"}}) == 0);
  }

  Penstock& penstock() noexcept { return penstock_; }

 private:
  std::size_t pipes() const { return descriptors_by_kind(process_)["pipe"]; }
  std::size_t pooled_pipes() const {
    return 2 * static_cast<std::size_t>(penstock_.metrics().sum("penstock_pipes"));
  }

  // Who asked the admin page last is closed a moment later.
  void note_baseline() {
    pipes_not_pooled_ = pipes() - pooled_pipes();
    wait_until("nothing is opened or closed", [&] {
      baseline_ = without_pipes(process_);
      try {
        holds_for(100ms, "rest", [&] { return without_pipes(process_) == baseline_; });
        return true;
      } catch (const Failure&) {
        return false;
      }
    });
  }

  void check_after() {
    REQUIRE(penstock_.program().running());
    REQUIRE(exchanger_.run(penstock_.address()).whole);
    penstock_.wait_until_rest();
    const auto given_back = [this] {
      return without_pipes(process_) == baseline_ && pipes() == pipes_not_pooled_ + pooled_pipes();
    };
    try {
      wait_until("every descriptor is given back", given_back, 5s);
    } catch (const Failure& failure) {
      ++tally_.leaks;
      FAIL_CHECK(failure.what());
      note_baseline();
    }
  }

  Exchanger& exchanger_;
  Tally& tally_;
  Penstock penstock_;
  const int process_;
  std::map<std::string, std::size_t> baseline_;
  std::size_t pipes_not_pooled_ = 0;
};

struct Extent {
  std::size_t bytes;  // each way
  std::string defaults;
  std::size_t calls_max;   // k goes so far
  std::size_t errors_max;  // so many errors of each call
};

// Calls `fail(call, error, k)` for each k until it says that there is no such call.
template <class Fail>
void for_each_point(const std::vector<Call>& calls, const Extent& extent, Fail&& fail) {
  for (const Call& call : calls)
    for (std::size_t e = 0; e < std::min(call.errors.size(), extent.errors_max); ++e)
      for (std::size_t k = 1; k <= extent.calls_max; ++k)
        if (!fail(call.name, call.errors[e], k)) break;
}

void fail_everywhere(const Extent& extent) {
  Scenario scenario{"C3", "each system call of one connection fails once",
                    "the process lives, the next connection is served, no descriptor is lost"};
  Exchanger exchanger{extent.bytes, extent.bytes};
  Tally tally;
  Victim victim{exchanger, tally, extent.defaults};
  const std::string first = victim.count("forwarder-0");
  const std::string later = victim.count("forwarder-0");
  scenario.watch(victim.penstock().program(), {victim.penstock().address()});
  INFO("calls of the first connection: " << first << "\nand of a later one: " << later);
  for_each_point(calls_of_acceptor(), extent, [&](auto call, auto error, auto k) {
    return victim.fail_once("acceptor-0", call, error, k);
  });
  for_each_point(calls_of_forwarder(), extent, [&](auto call, auto error, auto k) {
    return victim.fail_once("forwarder-0", call, error, k);
  });
  victim.check_books();
  scenario.settle();
  for_each_point(calls_of_first_connection(), extent, [&](auto call, auto error, auto k) {
    return Victim{exchanger, tally, extent.defaults}.fail_once("forwarder-0", call, error, k);
  });
  CHECK(tally.points >= 20);
  scenario.saw(fmt::format(
      "{} failures: {} of these connections were served whole, {} ended with RST, {} leaks, no "
      "death; calls of a first connection: {}; of a later one: {}",
      tally.points, tally.whole, tally.cut, tally.leaks, first, later));
}

}  // namespace

namespace {

Received ask(const Penstock& penstock) {
  Peer client = penstock.client();
  client.finish_sending();
  return client.receive_all();
}

double closed_for(const Penstock& penstock, const std::string& reason) {
  return penstock.metrics().sum("penstock_connections_closed_total", {{"reason", reason}});
}

// While accept4 fails, clients wait; how many calls were made in a second of it.
std::size_t fail_accepting(Penstock& penstock, const std::string& error) {
  INFO("accept4 fails with " << error);
  std::size_t calls = 0;
  std::vector<Peer> clients;
  {
    Tracer tracer = Tracer::of_thread(thread_named(penstock.program().id(), "acceptor-0"),
                                      {"-e", "inject=accept4:error=" + error});
    for (int i = 0; i < 10; ++i) clients.push_back(penstock.client());
    holds_for(1s, "they wait", [&] { return clients.front().ending() == Ending::open; });
    calls = tracer.injected();
  }
  CHECK(calls >= 2);
  CHECK(calls <= 40);  // ten a second, and not thousands
  for (Peer& client : clients) client.finish_sending();
  for (Peer& client : clients) CHECK(client.receive_all().bytes == "served");
  return calls;
}

// While a call of the forwarder fails, every client gets RST, and each is counted.
void fail_serving(Penstock& penstock, const std::string& call, const std::string& error) {
  INFO(call << " fails with " << error);
  constexpr int clients = 4;
  penstock.wait_until_rest();
  const double before = closed_for(penstock, "overload");
  {
    Tracer tracer = Tracer::of_thread(thread_named(penstock.program().id(), "forwarder-0"),
                                      {"-e", "inject=" + call + ":error=" + error});
    for (int i = 0; i < clients; ++i) CHECK(ask(penstock).ending == Ending::reset);
  }
  CHECK(closed_for(penstock, "overload") - before == clients);
  CHECK(ask(penstock).bytes == "served");
}

// On epoll, whose calls are what fails here.
struct Refusing {
  Refusing() { origin.serve(say("served")); }
  Origin origin;
  Penstock penstock{
      {.endpoints = {origin.address()}, .relay = "engine: adaptive", .runtime = "forwarders: 1"}};
};

}  // namespace

TEST_CASE("C2 calls that go on failing", "[faults][c]") {
  if (skip_unless(can_trace(), "no right to trace")) return;
  Scenario scenario{"C2", "ENFILE, ENOBUFS, ENOMEM from accept4, socket, epoll_ctl, on and on",
                    "clients wait, or get RST and are counted; no spin; then service comes back"};
  Refusing proxy;
  scenario.watch(proxy.penstock.program(), {proxy.penstock.address(), proxy.origin.address()});
  std::size_t accepts = 0;
  for (const char* error : {"ENFILE", "ENOBUFS", "ENOMEM"}) {
    accepts = std::max(accepts, fail_accepting(proxy.penstock, error));
    fail_serving(proxy.penstock, "socket", error);
    fail_serving(proxy.penstock, "epoll_ctl", error);
  }
  CHECK(proxy.penstock.metrics().sum("penstock_upstream_connect_failures_total",
                                     {{"reason", "local"}}) >= 12);
  proxy.penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(fmt::format(
      "accept4: 30 clients waited and were served, at most {} calls in a second; socket and "
      "epoll_ctl: {:.0f} clients got RST, all counted as overload; each time the next was served",
      accepts, closed_for(proxy.penstock, "overload")));
}

TEST_CASE("C17 no epoll watch is to be had", "[faults][c]") {
  if (skip_unless(can_trace(), "no right to trace")) return;
  Scenario scenario{"C17", "epoll_ctl fails with ENOSPC",
                    "RST, counted as overload; the process lives and serves again"};
  Refusing proxy;
  scenario.watch(proxy.penstock.program(), {proxy.penstock.address(), proxy.origin.address()});
  fail_serving(proxy.penstock, "epoll_ctl", "ENOSPC");
  // The client's watch is there, the endpoint's is not: the next attempt has one.
  Tracer tracer = Tracer::of_thread(thread_named(proxy.penstock.program().id(), "forwarder-0"),
                                    {"-e", "inject=epoll_ctl:error=ENOSPC:when=2+2"});
  const Received second = ask(proxy.penstock);
  tracer.detach();
  CHECK(second.bytes == "served");
  CHECK(ask(proxy.penstock).bytes == "served");
  proxy.penstock.wait_until_rest();
  scenario.settle();
  scenario.verdict("client", second.ending);
  scenario.saw(
      fmt::format("{:.0f} clients refused by RST; where only the endpoint's was "
                  "missing, the second attempt served; then service as usual",
                  closed_for(proxy.penstock, "overload")));
}

TEST_CASE("C3 each system call of a connection fails once", "[faults][c]") {
  if (skip_unless(can_trace(), "no right to trace")) return;
  // A small send buffer: short writes, bytes that wait.
  fail_everywhere(
      {.bytes = 192 << 10, .defaults = "send_buffer: 16KiB", .calls_max = 3, .errors_max = 2});
}

TEST_CASE("C3 each system call up to the 200th of a connection fails once", "[faults][c][full]") {
  if (skip_unless(can_trace(), "no right to trace")) return;
  fail_everywhere({.bytes = 12 << 20, .defaults = "", .calls_max = 200, .errors_max = 9});
}

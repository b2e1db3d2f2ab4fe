// D1 and D2: an endpoint's process dies, or stops, under load. The endpoints are processes of their
// own: penstock's static file server.

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "catch.hpp"
#include "e2e/faults/scenario.hpp"
#include "e2e/network.hpp"
#include "e2e/payload.hpp"
#include "e2e/penstock.hpp"

using namespace penstock::e2e;

namespace {

// A process that serves one file of random bytes.
class FileServer {
 public:
  explicit FileServer(std::uint64_t seed) : content_{payload(seed, file_bytes)} {
    folder_.write("www/file", content_);
    penstock_ = std::make_unique<Penstock>(
        Plan{.listener = "files: {root: \"" + folder_.path("www") + "\"}"});
  }
  Penstock& penstock() { return *penstock_; }
  const std::string& address() const { return penstock_->address(); }
  const std::string& content() const { return content_; }

 private:
  static constexpr std::size_t file_bytes = 64 * 1024;
  TemporaryFolder folder_;
  std::string content_;
  std::unique_ptr<Penstock> penstock_;
};

Peer ask(const std::string& address) {
  Peer client = Peer::connect(address);
  client.send("GET /file HTTP/1.0\r\n\r\n");
  return client;
}

std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == answer.npos ? std::string{} : answer.substr(end + 4);
}

struct EndpointTally {
  std::atomic<std::size_t> served{0};
  std::atomic<std::size_t> failed{0};
  std::atomic<std::size_t> wrong{0};  // FIN after other bytes than the file's: must not be
};

// One exchange after another until `stop`. Both servers have the same file.
void exchange_until(const std::atomic<bool>& stop, const std::string& address,
                    const std::string& content, EndpointTally& tally) {
  while (!stop) {
    try {
      const Received got = ask(address).receive_all();
      if (got.ending != Ending::fin)
        ++tally.failed;
      else if (body_of(got.bytes) == content)
        ++tally.served;
      else
        ++tally.wrong;
    } catch (const Failure&) {
      ++tally.failed;
    }
  }
}

class Load {
 public:
  Load(const std::string& address, const std::string& content, std::size_t clients) {
    for (std::size_t i = 0; i < clients; ++i)
      threads_.emplace_back(
          [this, address, content] { exchange_until(stop_, address, content, tally_); });
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { stop(); }

  const EndpointTally& tally() const { return tally_; }
  void wait_for_served(std::size_t more) const {
    const std::size_t wanted = tally_.served + more;
    wait_until(
        "more is served", [&] { return tally_.served >= wanted; }, 60s);
  }
  void stop() {
    stop_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }

 private:
  EndpointTally tally_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("D1 kill -9 of an endpoint under load", "[faults][d]") {
  constexpr std::size_t clients = 4;
  constexpr std::size_t exchanges = 300;
  Scenario scenario{"D1", "`kill -9` of one of two endpoints under load",
                    "only exchanges under way at the kill fail; every later one is served by the "
                    "other endpoint"};
  FileServer killed{1};
  FileServer survivor{1};
  Penstock penstock{{.endpoints = {killed.address(), survivor.address()}}};
  scenario.watch(penstock.program(), {penstock.address(), killed.address(), survivor.address()});
  Load load{penstock.address(), killed.content(), clients};
  load.wait_for_served(exchanges);
  const std::size_t failed_before = load.tally().failed;
  killed.penstock().program().signal(SIGKILL);
  CHECK(killed.penstock().wait_for_end() == 128 + SIGKILL);
  const std::size_t failed_at_kill = load.tally().failed;
  load.wait_for_served(exchanges);
  load.stop();
  CHECK(failed_before == 0);
  CHECK(load.tally().wrong == 0);
  // Each client has one exchange under way; the dying kernel sockets may take a second one along.
  CHECK(load.tally().failed <= 2 * clients);
  const Metrics metrics = penstock.metrics();
  const double refused =
      metrics.sum("penstock_upstream_connect_failures_total", {{"reason", "refused"}});
  CHECK(refused > 0);
  CHECK(metrics.sum("penstock_connections_closed_total", {{"reason", "connect_failed"}}) == 0);
  penstock.wait_until_rest();
  scenario.settle();
  scenario.delivered(Way::to_client, survivor.content(),
                     body_of(ask(penstock.address()).read_to_end()));
  scenario.saw(fmt::format(
      "{} clients: {} exchanges served, {} failed by the end of the dead process, {} after it; {} "
      "attempts at the dead one were refused and went to the other (there is no ejection yet)",
      clients, load.tally().served.load(), failed_at_kill,
      load.tally().failed.load() - failed_at_kill, refused));
}

TEST_CASE("D2 an endpoint that is stopped: its backlog still accepts", "[faults][d]") {
  constexpr std::size_t asked = 10;
  Scenario scenario{"D2", "SIGSTOP of one of two endpoints, SIGCONT later",
                    "its share waits, until `idle_timeout` at most; the others are served; nobody "
                    "spins; all are answered after SIGCONT"};
  const std::string impatient = free_address();
  FileServer stopped{2};
  FileServer other{2};
  Penstock penstock{{.endpoints = {stopped.address() + " stopped", other.address() + " other"},
                     .more_listeners = "  - {name: impatient, bind: \"" + impatient +
                                       "\", upstream: app, idle_timeout: 500ms}\n"}};
  scenario.watch(penstock.program(), {penstock.address(), stopped.address(), other.address()});
  stopped.penstock().program().signal(SIGSTOP);
  std::vector<Peer> waiting;
  std::size_t served = 0;
  // In turn, so each second one goes to the stopped endpoint, and its bytes are not answered.
  for (std::size_t i = 0; i < asked; ++i) {
    Peer client = ask(penstock.address());
    if (i % 2 == 0) {
      waiting.push_back(std::move(client));
      penstock.wait_for_metric("penstock_upstream_connections_active", {{"endpoint", "stopped"}},
                               static_cast<double>(waiting.size()));
      continue;
    }
    CHECK(body_of(client.read_to_end()) == other.content());
    ++served;
  }
  Peer short_of_time = ask(impatient);
  const Received cut = short_of_time.receive_all();
  CHECK(cut.ending == Ending::reset);
  CHECK(cut.bytes.empty());
  scenario.verdict("client with idle_timeout", cut.ending);
  penstock.record_with_reason("idle_timeout");
  const double ticks = scenario.idle_ticks();
  CHECK(ticks < 20);
  for (const Peer& client : waiting) CHECK(client.ending() == Ending::open);
  stopped.penstock().program().signal(SIGCONT);
  std::string sent, received;
  for (Peer& client : waiting) {
    sent += stopped.content();
    received += body_of(client.read_to_end());
  }
  scenario.delivered(Way::to_client, sent, received);
  scenario.verdict("client", Ending::fin);
  waiting.clear();
  penstock.wait_until_rest();
  scenario.settle();
  scenario.saw(
      fmt::format("{} of {} served at once, {} waited at {} clock ticks of the proxy per "
                  "second and were answered after SIGCONT; RST after idle_timeout; an http "
                  "health check would take it out",
                  served, asked, waiting.size(), ticks));
}

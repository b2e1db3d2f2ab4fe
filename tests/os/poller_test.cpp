#include "os/poller.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/process.hpp"

namespace penstock::os {

using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t token = 0x1234'5678'9abc'def0;

// Both kinds keep the same word. A ring belongs to the thread that makes it.
enum class Loop : std::uint8_t { epoll, ring };

Poller make_poller(Loop loop) {
  auto poller = Poller::create();
  REQUIRE(poller.has_value());
  if (loop == Loop::ring) REQUIRE_FALSE(poller->use_ring(*std::pmr::new_delete_resource()));
  return std::move(*poller);
}

// Everything that the poller says of the one socket until `fact` holds.
bool await_readiness(Poller& poller, bool (*fact)(const Readiness&)) {
  const base::Instant deadline = now() + 5s;
  while (now() < deadline) {
    for (const Event& event : poller.wait(100ms)) {
      REQUIRE(event.token == token);
      if (fact(event.ready)) return true;
    }
  }
  return false;
}

// What a signal handler of a test writes to.
std::atomic<int> socket_of_handler{-1};
void write_a_byte(int) {
  [[maybe_unused]] const ssize_t written = ::write(socket_of_handler, "x", 1);
}

char state_of_thread(long id) {
  const FileText stat = read_file("/proc/self/task/" + std::to_string(id) + "/stat", 4096);
  return stat.text.at(stat.text.rfind(')') + 2);
}

bool is_readable(const Readiness& ready) {
  return ready.readable;
}
bool is_finished(const Readiness& ready) {
  return ready.peer_finished;
}
bool is_failed(const Readiness& ready) {
  return ready.failed;
}
bool is_urgent(const Readiness& ready) {
  return ready.urgent;
}

}  // namespace

TEST_CASE("a wait that is interrupted still tells what came meanwhile", "[os]") {
  const Loop loop = GENERATE(Loop::epoll, Loop::ring);
  const Pair pair = tcp_pair();
  socket_of_handler = pair.client.get();
  const auto before = std::signal(SIGUSR1, write_a_byte);
  std::atomic<long> id{0};
  std::size_t seen = 0;
  std::thread waiting{[&] {
    Poller poller = make_poller(loop);
    REQUIRE_FALSE(poller.add(pair.server.get(), token, Poller::Reads::announced));
    REQUIRE(poller.wait(5s).size() == 1);  // writable
    id = ::syscall(SYS_gettid);
    const auto events = poller.wait(30s);
    seen = events.size();
  }};
  while (id == 0 || state_of_thread(id) != 'S') std::this_thread::yield();
  // Only after the wait has been given up does the handler run.
  ::pthread_kill(waiting.native_handle(), SIGUSR1);
  waiting.join();
  std::signal(SIGUSR1, before);
  CHECK(seen == 1);
}

TEST_CASE("a batch is full though a wake-up is in it", "[os]") {
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  std::vector<Fd> ready;
  for (std::size_t i = 0; i < 2 * base::poll_batch_max; ++i) {
    ready.emplace_back(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
    if (i == 0) poller.wake();
    REQUIRE_FALSE(poller.add(ready.back().get(), token, Poller::Reads::announced));
  }
  // Who takes the first batch for the last one lets timers fire before the others are heard.
  CHECK(poller.wait(0ms).size() >= base::poll_batch_max);
}

TEST_CASE("a fresh socket is writable once, and each arrival is one edge", "[os]") {
  const Pair pair = tcp_pair();
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  REQUIRE_FALSE(poller.add(pair.server.get(), token, Poller::Reads::announced));
  const auto first = poller.wait(5s);
  REQUIRE(first.size() == 1);
  CHECK(first[0].token == token);
  CHECK(first[0].ready.writable);
  CHECK_FALSE(first[0].ready.readable);
  CHECK_FALSE(first[0].ready.peer_finished);
  CHECK_FALSE(first[0].ready.failed);
  CHECK(poller.wait(0s).empty());

  send_all(pair.client.get(), "a");
  CHECK(await_readiness(poller, is_readable));
  CHECK(poller.wait(0s).empty());  // nothing new, though the byte is still there
  send_all(pair.client.get(), "b");
  CHECK(await_readiness(poller, is_readable));
  CHECK(read_exactly(pair.server.get(), 2) == "ab");
}

TEST_CASE("FIN is peer_finished and readable, and not failed", "[os]") {
  const Pair pair = tcp_pair();
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  REQUIRE_FALSE(poller.add(pair.server.get(), token, Poller::Reads::announced));
  REQUIRE_FALSE(finish_sending(pair.client.get()));
  bool failed = false;
  const base::Instant deadline = now() + 5s;
  bool finished = false;
  while (!finished && now() < deadline) {
    for (const Event& event : poller.wait(100ms)) {
      finished = event.ready.peer_finished && event.ready.readable;
      failed = failed || event.ready.failed;
    }
  }
  CHECK(finished);
  CHECK_FALSE(failed);
}

TEST_CASE("RST is failed", "[os]") {
  Pair pair = tcp_pair();
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  REQUIRE_FALSE(poller.add(pair.server.get(), token, Poller::Reads::announced));
  reset_on_close(pair.client.get());
  pair.client.reset();
  CHECK(await_readiness(poller, is_failed));
}

TEST_CASE("a TCP urgent byte is urgent", "[os]") {
  const Pair pair = tcp_pair();
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  REQUIRE_FALSE(poller.add(pair.server.get(), token, Poller::Reads::announced));
  REQUIRE(::send(pair.client.get(), "X", 1, MSG_OOB) == 1);
  CHECK(await_readiness(poller, is_urgent));
}

TEST_CASE("both directions shut is peer_finished", "[os]") {
  const Pair pair = tcp_pair();
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  REQUIRE_FALSE(poller.add(pair.server.get(), token, Poller::Reads::announced));
  REQUIRE_FALSE(finish_sending(pair.server.get()));
  REQUIRE_FALSE(finish_sending(pair.client.get()));
  CHECK(await_readiness(poller, is_finished));
}

TEST_CASE("a socket becomes writable again when its peer reads", "[os]") {
  SocketOptions small;
  small.send_buffer = 16 * 1024;
  small.receive_buffer = 16 * 1024;
  const Pair pair = tcp_pair(small);
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  REQUIRE_FALSE(poller.add(pair.server.get(), token, Poller::Reads::announced));
  const std::string block(4096, 'x');
  std::size_t sent = 0;
  for (IoResult result = send(pair.server.get(), bytes_of(block)); result.status == IoStatus::moved;
       result = send(pair.server.get(), bytes_of(block)))
    sent += result.bytes;
  while (!poller.wait(0s).empty()) continue;
  read_exactly(pair.client.get(), sent);
  CHECK(await_readiness(poller, [](const Readiness& ready) { return bool{ready.writable}; }));
}

TEST_CASE("wake from another thread ends a wait, and is no event", "[os]") {
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  for (int round = 0; round < 100; ++round) {
    std::thread other{[&] { poller.wake(); }};
    const base::Instant start = now();
    CHECK(poller.wait(5s).empty());
    CHECK(now() - start < 4s);
    other.join();
  }
}

TEST_CASE("a wake before the wait ends that wait, and only that", "[os]") {
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  poller.wake();
  poller.wake();
  const base::Instant start = now();
  CHECK(poller.wait(5s).empty());
  CHECK(now() - start < 4s);
  // A wake that stuck would end every wait; a signal, or what the kernel does beside, but one.
  CHECK(await_fact([&] {
    const base::Instant second = now();
    return poller.wait(30ms).empty() && now() - second >= 30ms;
  }));
}

TEST_CASE("a wait does not end before its timeout", "[os]") {
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  for (const base::Duration timeout : {base::Duration{1}, base::Duration{1'500'000}}) {
    CHECK(await_fact([&] {
      const base::Instant start = now();
      return poller.wait(timeout).empty() && now() - start >= timeout;
    }));
  }
}

TEST_CASE("closed sockets are heard of no more", "[os]") {
  Pair pair = tcp_pair();
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  REQUIRE_FALSE(poller.add(pair.server.get(), token, Poller::Reads::announced));
  while (!poller.wait(0s).empty()) continue;
  send_all(pair.client.get(), "x");
  REQUIRE(await_events(pair.server.get(), POLLIN));
  poller.close(pair.server.release());
  CHECK(poller.wait(0s).empty());
  // Nothing holds it any more: its peer is reset, for the byte was not read.
  CHECK(await_events(pair.client.get(), POLLERR));
  CHECK(poller.wait(0s).empty());
}

TEST_CASE("more events than one batch holds come in the next one", "[os]") {
  Poller poller = make_poller(GENERATE(Loop::epoll, Loop::ring));
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < base::poll_batch_max / 2 + 10; ++i) {
    pairs.push_back(tcp_pair());
    REQUIRE_FALSE(poller.add(pairs.back().client.get(), 2 * i, Poller::Reads::announced));
    REQUIRE_FALSE(poller.add(pairs.back().server.get(), 2 * i + 1, Poller::Reads::announced));
  }
  std::vector<bool> seen(2 * pairs.size());
  for (int round = 0; round < 2; ++round)
    for (const Event& event : poller.wait(0s)) seen[event.token] = true;
  CHECK(std::find(seen.begin(), seen.end(), false) == seen.end());
}

}  // namespace penstock::os

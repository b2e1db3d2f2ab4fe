#include "os/ring.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/poller.hpp"

namespace penstock::os {

using namespace testing;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t ring_token = 7;

struct RingLoop {
  RingLoop() : poller{*Poller::create()} {
    REQUIRE_FALSE(poller.use_ring(*std::pmr::new_delete_resource()));
  }
  void add(int descriptor, std::uint64_t name = ring_token) {
    REQUIRE_FALSE(poller.add(descriptor, name, Poller::Reads::asked_for));
  }
  // The next answer to what was asked for.
  Event answer() {
    const base::Instant deadline = now() + 5s;
    while (now() < deadline)
      for (const Event& event : poller.wait(100ms))
        if (event.receive_ended) return event;
    throw std::runtime_error{"the ring does not answer"};
  }
  std::string text_of(const Event& event) {
    const auto bytes = poller.buffer(event.buffer).first(event.bytes);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  Poller poller;
};

}  // namespace

TEST_CASE("a receive is answered once, by what came, in a buffer of the ring", "[os]") {
  const Pair pair = tcp_pair();
  RingLoop loop;
  loop.add(pair.server.get());
  loop.poller.receive(pair.server.get());
  send_all(pair.client.get(), "first");
  const Event event = loop.answer();
  CHECK(event.token == ring_token);
  CHECK(loop.text_of(event) == "first");
  loop.poller.give_back(event.buffer);
  send_all(pair.client.get(), "second");
  // Nobody asked for it: it stays in the socket, and the sender feels that.
  for (const Event& other : loop.poller.wait(50ms)) CHECK_FALSE(other.receive_ended);
  CHECK(read_exactly(pair.server.get(), 6) == "second");
}

TEST_CASE("bytes that are there already answer a receive", "[os]") {
  const Pair pair = tcp_pair();
  RingLoop loop;
  loop.add(pair.server.get());
  send_all(pair.client.get(), "early");
  REQUIRE(await_events(pair.server.get(), POLLIN));
  loop.poller.receive(pair.server.get());
  CHECK(loop.text_of(loop.answer()) == "early");
}

TEST_CASE("FIN answers a receive by nothing, RST by its error, which no call tells again", "[os]") {
  Pair pair = tcp_pair();
  const bool reset = GENERATE(false, true);
  RingLoop loop;
  loop.add(pair.server.get());
  loop.poller.receive(pair.server.get());
  if (reset) reset_on_close(pair.client.get());
  pair.client.reset();
  const Event event = loop.answer();
  CHECK(event.bytes == 0);
  CHECK(event.error == (reset ? ECONNRESET : 0));
  CHECK(event.ready.readable);
  std::byte byte;
  CHECK(receive(pair.server.get(), {&byte, 1}).status == IoStatus::end);
}

TEST_CASE("a receive that is cancelled is answered without bytes", "[os]") {
  const Pair pair = tcp_pair();
  RingLoop loop;
  loop.add(pair.server.get());
  loop.poller.receive(pair.server.get());
  loop.poller.wait(0s);
  loop.poller.cancel(pair.server.get());
  CHECK(loop.answer().bytes == 0);
  loop.poller.receive(pair.server.get());  // and may be asked for again
  send_all(pair.client.get(), "x");
  CHECK(loop.answer().bytes == 1);
}

TEST_CASE("who waits to read is told, and the bytes stay in the socket", "[os]") {
  const Pair pair = tcp_pair();
  RingLoop loop;
  loop.add(pair.server.get());
  loop.poller.await_readable(pair.server.get());
  send_all(pair.client.get(), "abc");
  const Event event = loop.answer();
  CHECK(event.bytes == 0);
  CHECK(event.ready.readable);
  CHECK(read_exactly(pair.server.get(), 3) == "abc");
}

TEST_CASE("when all buffers are out a receive ends without bytes, and none is lost", "[os]") {
  RingLoop loop;
  std::vector<Pair> pairs(base::ring_buffers + 10);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = tcp_pair();
    loop.add(pairs[i].server.get(), i);
    loop.poller.receive(pairs[i].server.get());
    send_all(pairs[i].client.get(), std::to_string(i));
  }
  std::size_t in_buffers = 0;
  std::size_t answered = 0;
  const auto hear = [&](const Event& event) {
    if (!event.receive_ended) return;
    ++answered;
    in_buffers += event.bytes > 0 ? 1 : 0;
    const Pair& pair = pairs[event.token];
    const std::string text = event.bytes > 0 ? loop.text_of(event) : read_some(pair.server.get());
    CHECK(text == std::to_string(event.token));
  };
  CHECK(await_fact([&] {
    for (const Event& event : loop.poller.wait(10ms)) hear(event);
    return answered == pairs.size();
  }));
  CHECK(in_buffers <= base::ring_buffers);
  CHECK(in_buffers > 0);
}

TEST_CASE("a socket that takes the number of a closed one gets nothing of its requests", "[os]") {
  RingLoop loop;
  for (int round = 0; round < 50; ++round) {
    Pair old = tcp_pair();
    const int number = old.server.release();
    loop.add(number, 1);
    loop.poller.receive(number);
    loop.poller.close(number);
    // Its number is free only when the ring was told, and then its requests are gone.
    loop.poller.wait(0s);
    Pair fresh = tcp_pair();
    while (fresh.server.get() != number && fresh.client.get() != number) {
      const int copy = ::fcntl(fresh.server.get(), F_DUPFD_CLOEXEC, number);
      REQUIRE(copy == number);
      fresh.server.reset(copy);
    }
    send_all(fresh.client.get(), "mine");
    send_all(fresh.server.get(), "mine");
    for (const Event& event : loop.poller.wait(0s)) CHECK(event.token != 1);
    CHECK(read_exactly(fresh.server.get(), 4) == "mine");
    CHECK(read_exactly(fresh.client.get(), 4) == "mine");
  }
}

TEST_CASE("closing takes effect in the order in which it was asked for", "[os]") {
  const Pair pair = tcp_pair();
  RingLoop loop;
  Pair gone = tcp_pair();
  const int number = gone.server.release();
  loop.add(number);
  loop.poller.receive(number);
  loop.poller.close(number);
  // Not told yet, so the number cannot be another's.
  CHECK(::fcntl(number, F_GETFD) >= 0);
  loop.poller.wait(0s);
  CHECK(::fcntl(number, F_GETFD) < 0);
  CHECK(error_at_end(gone.client.get()) == 0);
}

}  // namespace penstock::os

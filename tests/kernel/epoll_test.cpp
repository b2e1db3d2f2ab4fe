// What edge-triggered epoll says, and what it does not say again.

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "kernel/kernel.hpp"

using namespace penstock::kernel;

TEST_CASE("what is so already is announced when a socket is added, and only once", "[kernel]") {
  INFO("a session may register a socket whose first bytes are there, and sees them");
  Pair pair = tcp_pair();
  REQUIRE(send_to(pair.peer, "abc") == 3);
  REQUIRE(await(pair.ours, POLLIN));
  Edges edges;
  REQUIRE(edges.add(pair.ours, 1) == 0);
  CHECK(edges.wait(5000) == (EPOLLIN | EPOLLOUT));
  CHECK(edges.wait(0) == 0);
}

TEST_CASE("new bytes are a new edge although old ones are unread", "[kernel]") {
  INFO("relay::Side forgets nothing, but a flag that was cleared must be set again by new bytes");
  Pair pair = tcp_pair();
  Edges edges;
  REQUIRE(edges.add(pair.ours, 1) == 0);
  CHECK(edges.wait(5000) == EPOLLOUT);
  REQUIRE(send_to(pair.peer, "abc") == 3);
  CHECK((edges.wait(5000) & EPOLLIN) != 0);
  REQUIRE(send_to(pair.peer, "def") == 3);
  CHECK((edges.wait(5000) & EPOLLIN) != 0);
  CHECK(edges.wait(0) == 0);
}

TEST_CASE("a short read of a TCP socket means that it is empty, and what follows is an edge",
          "[kernel]") {
  INFO("Side::short_read_is_empty saves the second read of every small message");
  Pair pair = tcp_pair();
  Edges edges;
  REQUIRE(edges.add(pair.ours, 1) == 0);
  edges.wait(5000);
  std::string text;
  for (int round = 0; round < 100; ++round) {
    REQUIRE(send_to(pair.peer, "abc") == 3);
    REQUIRE((edges.wait(5000) & EPOLLIN) != 0);
    REQUIRE(receive(pair.ours, text, 64) == 3);
  }
}

TEST_CASE("FIN behind unread bytes is announced at once, and not again when they are read",
          "[kernel]") {
  INFO("Side::finishing: after it a short read says nothing, for FIN is not announced again");
  Pair pair = tcp_pair();
  Edges edges;
  REQUIRE(edges.add(pair.ours, 1) == 0);
  edges.wait(5000);
  REQUIRE(send_to(pair.peer, "abc") == 3);
  ::shutdown(pair.peer, SHUT_WR);
  unsigned seen = 0;
  while ((seen & EPOLLRDHUP) == 0) {
    const unsigned events = edges.wait(5000);
    REQUIRE(events != 0);
    seen |= events;
  }
  std::string text;
  CHECK(receive(pair.ours, text) == 3);
  CHECK(edges.wait(0) == 0);
  CHECK(receive(pair.ours, text) == 0);
}

TEST_CASE("room is an edge only for who met a full socket", "[kernel]") {
  INFO("Side::writable is cleared by EAGAIN or a short send alone, never by a guess");
  Pair pair = tcp_pair();
  Edges edges;
  REQUIRE(edges.add(pair.ours, 1) == 0);
  edges.wait(5000);
  const std::string large(1 << 20, 'x');
  while (send_to(pair.ours, large) > 0) {
  }
  CHECK(edges.wait(0) == 0);
  std::string text;
  unsigned seen = 0;
  while ((seen & EPOLLOUT) == 0) {
    REQUIRE(await(pair.peer, POLLIN));
    REQUIRE(receive(pair.peer, text, 1 << 20) > 0);
    seen |= edges.wait(0);
  }
  CHECK(send_to(pair.ours, "x") == 1);
}

TEST_CASE("an urgent mark is announced by EPOLLPRI", "[kernel]") {
  INFO("Side::urgent: after it a short read says nothing, for it may have stopped at the mark");
  Pair pair = tcp_pair();
  Edges edges;
  REQUIRE(edges.add(pair.ours, 1) == 0);
  edges.wait(5000);
  REQUIRE(send_to(pair.peer, "X", MSG_OOB) == 1);
  unsigned seen = 0;
  while ((seen & EPOLLPRI) == 0) {
    const unsigned events = edges.wait(5000);
    REQUIRE(events != 0);
    seen |= events;
  }
}

TEST_CASE("closing a descriptor ends its registration, and its number starts anew", "[kernel]") {
  INFO("sessions close without epoll_ctl; what the number meant before is not reported");
  Edges edges;
  int number = -1;
  {
    Pair first = tcp_pair();
    number = first.ours;
    REQUIRE(edges.add(first.ours, 1) == 0);
    REQUIRE(send_to(first.peer, "abc") == 3);
    REQUIRE(await(first.ours, POLLIN));
  }
  CHECK(edges.wait(0) == 0);
  Pair second = tcp_pair();
  const Fd same{::dup2(second.ours, number)};
  REQUIRE(same == number);
  REQUIRE(edges.add(same, 2) == 0);
  std::uint64_t token = 0;
  CHECK(edges.wait(5000, &token) == EPOLLOUT);
  CHECK(token == 2);
}

TEST_CASE("every write to an eventfd is an edge, read or not", "[kernel]") {
  INFO("os::Poller::wake() writes and nobody reads");
  const Fd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  Edges edges;
  REQUIRE(edges.add(event, 1) == 0);
  edges.wait(0);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t one = 1;
    REQUIRE(::write(event, &one, sizeof one) == sizeof one);
    CHECK((edges.wait(5000) & EPOLLIN) != 0);
    CHECK(edges.wait(0) == 0);
  }
}

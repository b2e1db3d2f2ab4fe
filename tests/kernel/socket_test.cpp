// What TCP sockets do at their end, and what they inherit at their beginning.

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "kernel/kernel.hpp"

using namespace penstock::kernel;

namespace {

int option(int socket, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  REQUIRE(::getsockopt(socket, level, name, &value, &length) == 0);
  return value;
}

void set(int socket, int level, int name, int value) {
  REQUIRE(::setsockopt(socket, level, name, &value, sizeof value) == 0);
}

int not_sent(int socket) {
  int bytes = -1;
  REQUIRE(::ioctl(socket, SIOCOUTQNSD, &bytes) == 0);
  return bytes;
}

void reset(Fd& socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket.close();
}

}  // namespace

TEST_CASE("accepted sockets inherit the options of their listener", "[kernel]") {
  INFO("os::listen_on() sets the options once, and accepting costs no call for them");
  const Pair pair = tcp_pair();
  CHECK(option(pair.ours, SOL_SOCKET, SO_OOBINLINE) == 1);
  CHECK(option(pair.ours, IPPROTO_TCP, TCP_NODELAY) == 1);
}

TEST_CASE("what was queued before a reset is read first, then the error comes once, then 0",
          "[kernel]") {
  INFO("aborts deliver what was taken; and a side that failed once never counts as finished");
  Pair pair = tcp_pair();
  REQUIRE(send_to(pair.peer, "abcd") == 4);
  REQUIRE(await(pair.ours, POLLIN));
  reset(pair.peer);
  REQUIRE(await(pair.ours, POLLERR));
  std::string text;
  CHECK(receive(pair.ours, text) == 4);
  CHECK(receive(pair.ours, text) == -ECONNRESET);
  CHECK(receive(pair.ours, text) == 0);
}

TEST_CASE("after SO_ERROR was fetched a reset socket reads as if FIN had come", "[kernel]") {
  INFO("whoever fetches the error must remember it: relay::Side::failed");
  Pair pair = tcp_pair();
  reset(pair.peer);
  REQUIRE(await(pair.ours, POLLERR));
  CHECK(option(pair.ours, SOL_SOCKET, SO_ERROR) == ECONNRESET);
  std::string text;
  CHECK(receive(pair.ours, text) == 0);
}

TEST_CASE("close after both FINs sends no reset, and close() sends the second FIN", "[kernel]") {
  INFO("relay::Direction leaves the last FIN to close()");
  Pair pair = tcp_pair();
  ::shutdown(pair.peer, SHUT_WR);
  REQUIRE(await(pair.ours, POLLRDHUP));
  std::string text;
  REQUIRE(receive(pair.ours, text) == 0);
  REQUIRE(send_to(pair.ours, "bye") == 3);
  pair.ours.close();
  REQUIRE(await(pair.peer, POLLRDHUP));
  CHECK(receive(pair.peer, text) == 3);
  CHECK(receive(pair.peer, text) == 0);
  CHECK(option(pair.peer, SOL_SOCKET, SO_ERROR) == 0);
}

TEST_CASE("close with bytes unread is a reset", "[kernel]") {
  INFO("nothing is closed by FIN that has something to read: it would cut off what was sent");
  Pair pair = tcp_pair();
  REQUIRE(send_to(pair.peer, "abc") == 3);
  REQUIRE(await(pair.ours, POLLIN));
  pair.ours.close();
  REQUIRE(await(pair.peer, POLLERR));
  CHECK(option(pair.peer, SOL_SOCKET, SO_ERROR) == ECONNRESET);
}

TEST_CASE("SO_LINGER of 0 makes close a reset", "[kernel]") {
  INFO("os::reset_on_close(): a reset is passed on as a reset");
  Pair pair = tcp_pair();
  reset(pair.ours);
  REQUIRE(await(pair.peer, POLLERR));
  CHECK(option(pair.peer, SOL_SOCKET, SO_ERROR) == ECONNRESET);
}

TEST_CASE("SIOCOUTQ falls to 0 when everything is acknowledged", "[kernel]") {
  INFO("an abort waits until it is 0, at most abort_linger, before it resets");
  Pair pair = tcp_pair();
  REQUIRE(send_to(pair.ours, std::string(1000, 'x')) == 1000);
  CHECK(await_unsent(pair.ours, 0));
}

TEST_CASE("a connect that is refused is told together with its error", "[kernel]") {
  INFO("Connecting::run() asks for SO_ERROR only where the poller said that there is one");
  Fd closed = listener();
  sockaddr_in target{};
  socklen_t length = sizeof target;
  REQUIRE(::getsockname(closed, reinterpret_cast<sockaddr*>(&target), &length) == 0);
  closed.close();
  for (int round = 0; round < 100; ++round) {
    const Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (::connect(socket, reinterpret_cast<sockaddr*>(&target), sizeof target) != 0 &&
        errno == ECONNREFUSED)
      continue;
    Edges edges;
    REQUIRE(edges.add(socket, 1) == 0);
    REQUIRE((edges.wait(5000) & EPOLLERR) != 0);
    REQUIRE(option(socket, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
  }
}

TEST_CASE("a connect that stands is told without an error, also where a reset is its next news",
          "[kernel]") {
  INFO("and what comes later is an edge of its own: Connecting::run()");
  const Fd server = listener();
  const Fd client = dial(server);
  Edges edges;
  REQUIRE(edges.add(client, 1) == 0);
  CHECK(edges.wait(5000) == EPOLLOUT);
  Fd accepted{::accept4(server, nullptr, nullptr, SOCK_CLOEXEC)};
  reset(accepted);
  CHECK((edges.wait(5000) & EPOLLERR) != 0);
  CHECK(option(client, SOL_SOCKET, SO_ERROR) == ECONNRESET);
}

TEST_CASE("what is written first leaves at once without TCP_NODELAY, and the option sends the rest",
          "[kernel]") {
  INFO("Relaying::wrote_once(): a connection that writes once never sets it");
  bool was_held_back = false;
  for (int round = 0; round < 50 && !was_held_back; ++round) {
    const Pair pair = tcp_pair();
    set(pair.ours, IPPROTO_TCP, TCP_NODELAY, 0);
    set(pair.peer, IPPROTO_TCP, TCP_QUICKACK, 0);  // it waits 40 ms with an acknowledgement
    REQUIRE(send_to(pair.ours, "a") == 1);
    REQUIRE(not_sent(pair.ours) == 0);
    REQUIRE(send_to(pair.ours, "b") == 1);
    was_held_back = not_sent(pair.ours) == 1;
    set(pair.ours, IPPROTO_TCP, TCP_NODELAY, 1);
    REQUIRE(not_sent(pair.ours) == 0);
    REQUIRE(await_unread(pair.peer, 2));
  }
  CHECK(was_held_back);
}

TEST_CASE("only a port that sockets get by themselves can be that of who dials it", "[kernel]") {
  INFO("os/local_ports: outside of the range nobody asks for the names of a connection");
  std::ifstream file{"/proc/sys/net/ipv4/ip_local_port_range"};
  int first = 0;
  int last = 0;
  REQUIRE(file >> first >> last);
  const Fd server = listener();
  for (int round = 0; round < 200; ++round) {
    const Fd client = dial(server);
    sockaddr_in local{};
    socklen_t length = sizeof local;
    REQUIRE(::getsockname(client, reinterpret_cast<sockaddr*>(&local), &length) == 0);
    REQUIRE(ntohs(local.sin_port) >= first);
    REQUIRE(ntohs(local.sin_port) <= last);
    const Fd accepted{::accept4(server, nullptr, nullptr, SOCK_CLOEXEC)};
    REQUIRE(accepted >= 0);
  }
}

TEST_CASE("a socket can connect to itself, and its two names tell", "[kernel]") {
  INFO("os::connect_result() refuses a connection whose two names are equal");
  // In a namespace of its own, where the range of ports can be made small.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr int skipped = 77;
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(skipped);
    const int set_up = std::system(
        "ip link set lo up && echo 50000 50001 > /proc/sys/net/ipv4/ip_local_port_range");
    if (set_up != 0) ::_exit(skipped);
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
      sockaddr_in target{};
      target.sin_family = AF_INET;
      target.sin_port = htons(50'000);
      target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (::connect(socket, reinterpret_cast<sockaddr*>(&target), sizeof target) != 0) continue;
      sockaddr_in local{};
      sockaddr_in remote{};
      socklen_t length = sizeof local;
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&local), &length);
      ::getpeername(socket, reinterpret_cast<sockaddr*>(&remote), &length);
      ::_exit(std::memcmp(&local, &remote, sizeof local) == 0 ? 0 : 1);
    }
    ::_exit(2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WEXITSTATUS(status) == 77) {
    WARN("skipped: a network namespace of its own is refused here");
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
}

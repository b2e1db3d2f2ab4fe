// What splice(2) does between a TCP socket and a pipe.

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "kernel/kernel.hpp"

using namespace penstock::kernel;

namespace {

volatile std::sig_atomic_t broken_pipes = 0;

constexpr int buffer_bytes = 100;
constexpr int sixteen_buffers = 16 * buffer_bytes;

// Bytes that the socket has taken from the pipe and keeps back (SIOCOUTQNSD).
int unsent_after_splice_of_sixteen_buffers(std::size_t asked) {
  Pair pair = tcp_pair();
  const Pipe pipe = new_pipe(65536);
  const std::string piece(buffer_bytes, 'x');
  // Segments that came one by one are a buffer each, and a pipe of 64 KiB has sixteen.
  for (int i = 0; i < 16; ++i) {
    Pair source = tcp_pair();
    REQUIRE(send_to(source.peer, piece) == buffer_bytes);
    REQUIRE(await(source.ours, POLLIN));
    REQUIRE(splice_in(source.ours, pipe) == buffer_bytes);
  }
  REQUIRE(splice_out(pipe, pair.ours, asked) == sixteen_buffers);
  int unsent = -1;
  REQUIRE(::ioctl(pair.ours, SIOCOUTQNSD, &unsent) == 0);
  return unsent;
}

constexpr int skipped = 77;

// As a user whom nobody else is, in a process of its own. 0: a pipe was refused with EPERM and kept
// its size, and the next one that was opened had two pages.
int grow_pipes_to_the_limit() {
  constexpr uid_t somebody = 1'914'527'003;
  constexpr int pipes_max = 4096;
  if (::setresuid(somebody, somebody, somebody) != 0) return skipped;
  for (int i = 0; i < pipes_max; ++i) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return 1;
    const int before = ::fcntl(ends[1], F_GETPIPE_SZ);
    if (::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) == 1 << 20) continue;
    if (errno != EPERM || ::fcntl(ends[1], F_GETPIPE_SZ) != before) return 2;
    int next[2];
    if (::pipe2(next, O_CLOEXEC) != 0) return 3;
    const int page = static_cast<int>(::sysconf(_SC_PAGESIZE));
    // It may be the last one that was given sixteen.
    const int size = ::fcntl(next[1], F_GETPIPE_SZ);
    return size == 2 * page || size == before ? 0 : 4;
  }
  return skipped;  // there is no limit here
}

bool is_older_than(int major, int minor) {
  utsname name{};
  int ours = 0;
  int its = 0;
  ::uname(&name);
  return std::sscanf(name.release, "%d.%d", &ours, &its) != 2 || ours < major ||
         (ours == major && its < minor);
}

}  // namespace

TEST_CASE("splice stops at an urgent mark with EAGAIN, and recv goes on behind it", "[kernel]") {
  INFO("relay::Direction asks recv() once where splice gives EAGAIN with a dry pipe");
  Pair pair = tcp_pair();
  REQUIRE(send_to(pair.peer, "abc") == 3);
  REQUIRE(send_to(pair.peer, "X", MSG_OOB) == 1);
  REQUIRE(send_to(pair.peer, "def") == 3);
  REQUIRE(await_unread(pair.ours, 7));
  const Pipe pipe = new_pipe(65536);
  CHECK(splice_in(pair.ours, pipe) == 3);
  CHECK(splice_in(pair.ours, pipe) == -EAGAIN);
  CHECK(splice_in(pair.ours, pipe) == -EAGAIN);
  std::string text;
  CHECK(receive(pair.ours, text) == 4);
  CHECK(text == "Xdef");
}

TEST_CASE("with FIN queued splice gives 0 at an urgent mark, which is no end", "[kernel]") {
  INFO("relay::Direction takes only a recv() of 0 for FIN");
  Pair pair = tcp_pair();
  REQUIRE(send_to(pair.peer, "abc") == 3);
  REQUIRE(send_to(pair.peer, "X", MSG_OOB) == 1);
  REQUIRE(send_to(pair.peer, "def") == 3);
  ::shutdown(pair.peer, SHUT_WR);
  REQUIRE(await(pair.ours, POLLRDHUP));
  const Pipe pipe = new_pipe(65536);
  CHECK(splice_in(pair.ours, pipe) == 3);
  CHECK(splice_in(pair.ours, pipe) == 0);
  std::string text;
  CHECK(receive(pair.ours, text) == 4);
  CHECK(text == "Xdef");
  CHECK(receive(pair.ours, text) == 0);
}

TEST_CASE("a pipe fills by slots: sixteen segments of a byte fill 64 KiB", "[kernel]") {
  INFO("relay::Direction reads only into a dry pipe, so that EAGAIN cannot mean a full one");
  Pair pair = tcp_pair();
  const Pipe pipe = new_pipe(65536);
  int in_the_pipe = 0;
  for (int i = 0; i < 16; ++i) {
    REQUIRE(send_to(pair.peer, "x") == 1);
    REQUIRE(await(pair.ours, POLLIN));
    if (splice_in(pair.ours, pipe) == 1) ++in_the_pipe;
  }
  CHECK(in_the_pipe == 16);
  REQUIRE(send_to(pair.peer, "y") == 1);
  REQUIRE(await(pair.ours, POLLIN));
  CHECK(splice_in(pair.ours, pipe) == -EAGAIN);
  int held = 0;
  REQUIRE(::ioctl(pipe.read_end, FIONREAD, &held) == 0);
  CHECK(held == 16);
}

TEST_CASE("with a full pipe and FIN queued splice says EAGAIN, and 0 when there is room",
          "[kernel]") {
  INFO("a direction that spliced into a full pipe would miss FIN: it never does");
  Pair pair = tcp_pair();
  const Pipe pipe = new_pipe(4096);  // one slot
  REQUIRE(send_to(pair.peer, "x") == 1);
  REQUIRE(await(pair.ours, POLLIN));
  REQUIRE(splice_in(pair.ours, pipe) == 1);
  ::shutdown(pair.peer, SHUT_WR);
  REQUIRE(await(pair.ours, POLLRDHUP));
  CHECK(splice_in(pair.ours, pipe) == -EAGAIN);
  char byte = 0;
  REQUIRE(::read(pipe.read_end, &byte, 1) == 1);
  CHECK(splice_in(pair.ours, pipe) == 0);
}

TEST_CASE("SIOCINQ says 0 when splice has emptied a socket, and what comes then is a new edge",
          "[kernel]") {
  INFO("relay::Direction asks it once behind a splice, and then waits for the poller");
  Pair pair = tcp_pair();
  Edges edges;
  REQUIRE(edges.add(pair.ours, 1) == 0);
  edges.wait(5000);
  const Pipe pipe = new_pipe(1 << 18);
  std::string taken(16384, '\0');
  for (int round = 0; round < 100; ++round) {
    REQUIRE(send_to(pair.peer, std::string(16384, 'x')) == 16384);
    for (int moved = 0; moved < 16384;) {
      REQUIRE((edges.wait(5000) & EPOLLIN) != 0);
      do moved += static_cast<int>(splice_in(pair.ours, pipe));
      while (unread(pair.ours) > 0);
    }
    REQUIRE(::read(pipe.read_end, taken.data(), taken.size()) == 16384);
  }
}

TEST_CASE("SIOCINQ counts what splice left behind: full slots, an urgent mark", "[kernel]") {
  INFO("relay::Direction reads on where it is not 0: a short splice alone says nothing");
  Pair pair = tcp_pair();
  REQUIRE(send_to(pair.peer, "abc") == 3);
  REQUIRE(send_to(pair.peer, "X", MSG_OOB) == 1);
  REQUIRE(send_to(pair.peer, "def") == 3);
  REQUIRE(await_unread(pair.ours, 7));
  const Pipe roomy = new_pipe(65536);
  REQUIRE(splice_in(pair.ours, roomy) == 3);
  CHECK(unread(pair.ours) == 4);

  Pair crowded = tcp_pair();
  const Pipe narrow = new_pipe(4096);  // one slot
  REQUIRE(send_to(crowded.peer, "x") == 1);
  REQUIRE(await(crowded.ours, POLLIN));
  REQUIRE(splice_in(crowded.ours, narrow) == 1);
  CHECK(unread(crowded.ours) == 0);
  REQUIRE(send_to(crowded.peer, "y") == 1);
  REQUIRE(await(crowded.ours, POLLIN));
  REQUIRE(splice_in(crowded.ours, narrow) == -EAGAIN);
  CHECK(unread(crowded.ours) == 1);
}

TEST_CASE("SIOCINQ does not count FIN, which is announced apart from bytes", "[kernel]") {
  INFO("relay::Direction does not ask it where FIN was announced: recv() has to say so");
  Pair pair = tcp_pair();
  Edges edges;
  REQUIRE(edges.add(pair.ours, 1) == 0);
  edges.wait(5000);
  REQUIRE(send_to(pair.peer, "abc") == 3);
  REQUIRE(await(pair.ours, POLLIN));
  const Pipe pipe = new_pipe(65536);
  REQUIRE(splice_in(pair.ours, pipe) == 3);
  ::shutdown(pair.peer, SHUT_WR);
  REQUIRE(await(pair.ours, POLLRDHUP));
  CHECK(unread(pair.ours) == 0);
  CHECK((edges.wait(5000) & (EPOLLIN | EPOLLRDHUP)) == (EPOLLIN | EPOLLRDHUP));
}

TEST_CASE("splice counts what it moved, however many bytes a pipe may hold", "[kernel]") {
  INFO("relay::Direction counts by return values, and never assumes that a pipe holds its size");
  Pair pair = tcp_pair();
  const std::string large(1 << 18, 'x');
  std::size_t sent = 0;
  while (sent < large.size()) {
    const ssize_t count = send_to(pair.peer, large.substr(sent));
    if (count <= 0) break;
    sent += static_cast<std::size_t>(count);
  }
  REQUIRE(sent > 65536);
  REQUIRE(await(pair.ours, POLLIN));
  const Pipe pipe = new_pipe(65536);
  ssize_t moved = 0;
  for (ssize_t count = 0; (count = splice_in(pair.ours, pipe)) > 0;) moved += count;
  int held = 0;
  REQUIRE(::ioctl(pipe.read_end, FIONREAD, &held) == 0);
  CHECK(held == moved);
  WARN("a pipe of 65536 bytes took " << held);
}

TEST_CASE("splice of exactly what sixteen buffers hold leaves nothing waiting in the socket",
          "[kernel]") {
  INFO("relay::Direction asks for what the pipe holds and never for more: see the next case");
  CHECK(unsent_after_splice_of_sixteen_buffers(sixteen_buffers) == 0);
}

// From 6.5 on, when sendpage was replaced. Where this case fails, the rule of the one before costs
// nothing and may go.
TEST_CASE("splice that asks for more than sixteen buffers hold corks the socket by itself",
          "[kernel]") {
  INFO("the tail below a segment would wait 200 ms for more, TCP_NODELAY or not");
  // Less than a segment of loopback: all of it.
  const int waiting = is_older_than(6, 5) ? 0 : sixteen_buffers;
  CHECK(unsent_after_splice_of_sixteen_buffers(1 << 20) == waiting);
}

TEST_CASE("splice to a socket that is shut for writing raises SIGPIPE", "[kernel]") {
  INFO("os::ignore_broken_pipes() before the first thread: there is no MSG_NOSIGNAL for splice");
  Pair pair = tcp_pair();
  const Pipe pipe = new_pipe(65536);
  REQUIRE(::write(pipe.write_end, "abc", 3) == 3);
  ::shutdown(pair.ours, SHUT_WR);
  broken_pipes = 0;
  const auto before = std::signal(SIGPIPE, [](int) { broken_pipes = broken_pipes + 1; });
  CHECK(splice_out(pipe, pair.ours) == -EPIPE);
  CHECK(broken_pipes == 1);
  std::signal(SIGPIPE, SIG_IGN);
  CHECK(splice_out(pipe, pair.ours) == -EPIPE);
  CHECK(broken_pipes == 1);
  std::signal(SIGPIPE, before);
}

TEST_CASE("splice to a socket that was reset says ECONNRESET once and EPIPE from then on",
          "[kernel]") {
  INFO("relay::Side keeps the first error: the second one says nothing about the peer");
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  Pair pair = tcp_pair();
  const Pipe pipe = new_pipe(65536);
  REQUIRE(::write(pipe.write_end, "abcdef", 6) == 6);
  const linger at_once{1, 0};
  ::setsockopt(pair.peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  pair.peer.close();
  REQUIRE(await(pair.ours, POLLERR));
  CHECK(splice_out(pipe, pair.ours, 3) == -ECONNRESET);
  CHECK(splice_out(pipe, pair.ours, 3) == -EPIPE);
  std::signal(SIGPIPE, before);
}

TEST_CASE("the size of a pipe is rounded up to a power of two of pages", "[kernel]") {
  INFO("os::open_pipe() reads the size back and believes only that");
  const Pipe pipe = new_pipe(3 * 4096);
  CHECK(::fcntl(pipe.write_end, F_GETPIPE_SZ) == 4 * 4096);
}

TEST_CASE("an empty pipe becomes larger and smaller, and is told its new size", "[kernel]") {
  INFO("relay/pipe_pool: a pipe grows while it is idle");
  const Pipe pipe = new_pipe(262144);
  CHECK(::fcntl(pipe.write_end, F_SETPIPE_SZ, 1 << 20) == 1 << 20);
  CHECK(::fcntl(pipe.read_end, F_GETPIPE_SZ) == 1 << 20);
  CHECK(::fcntl(pipe.write_end, F_SETPIPE_SZ, 65536) == 65536);
}

TEST_CASE("beyond the pages of a user without capabilities no pipe grows, and it stays as it is",
          "[kernel]") {
  INFO("relay/pipe_pool asks again a second later, and uses what there is");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(grow_pipes_to_the_limit());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WEXITSTATUS(status) == skipped) {
    WARN("skipped: only root becomes somebody whose pages nobody else uses");
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
}

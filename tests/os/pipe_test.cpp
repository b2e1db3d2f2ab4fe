#include "os/pipe.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/limits.hpp"
#include "catch.hpp"
#include "os/loopback.hpp"
#include "os/process.hpp"

namespace penstock::os {

using namespace testing;

namespace {

Pipe pipe_of(std::size_t bytes) {
  auto pipe = open_pipe(bytes);
  REQUIRE(pipe.has_value());
  return std::move(*pipe);
}

constexpr std::size_t plenty = 1 << 20;

}  // namespace

TEST_CASE("a pipe tells the capacity that the kernel gave it", "[os]") {
  const Pipe pipe = pipe_of(base::pipe_bytes_min);
  CHECK(pipe.capacity == static_cast<std::size_t>(::fcntl(pipe.write_end.get(), F_GETPIPE_SZ)));
  CHECK(pipe.capacity >= page_bytes());
  CHECK((::fcntl(pipe.read_end.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(pipe.write_end.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a pipe that is refused its size is smaller, not an error", "[os]") {
  const Pipe pipe = pipe_of(std::size_t{1} << 31);  // beyond what F_SETPIPE_SZ knows
  CHECK(pipe.capacity > 0);
  CHECK(pipe.capacity <= base::pipe_bytes_min);
}

TEST_CASE("what a splice brought into a pipe can be read out of it", "[os]") {
  const Pair left = tcp_pair();
  const Pipe pipe = pipe_of(base::pipe_bytes_min);
  send_all(left.client.get(), "by copy");
  REQUIRE(await_events(left.server.get(), POLLIN));
  REQUIRE(splice_in(left.server.get(), pipe, plenty).bytes == 7);
  std::array<std::byte, 4> part{};
  CHECK(read_pipe(pipe, part).bytes == 4);
  CHECK(std::memcmp(part.data(), "by c", 4) == 0);
  CHECK(read_pipe(pipe, part).bytes == 3);
  CHECK(std::memcmp(part.data(), "opy", 3) == 0);
  CHECK(read_pipe(pipe, part).status == IoStatus::would_block);
}

TEST_CASE("bytes are spliced from a socket through a pipe into another socket", "[os]") {
  const Pair left = tcp_pair();
  const Pair right = tcp_pair();
  const Pipe pipe = pipe_of(base::pipe_bytes_min);
  CHECK(splice_in(left.server.get(), pipe, plenty).status == IoStatus::would_block);

  send_all(left.client.get(), "through the pipe");
  REQUIRE(await_events(left.server.get(), POLLIN));
  const IoResult in = splice_in(left.server.get(), pipe, plenty);
  REQUIRE(in.status == IoStatus::moved);
  REQUIRE(in.bytes == 16);
  const IoResult part = splice_out(pipe, right.client.get(), 8);
  REQUIRE(part.bytes == 8);
  const IoResult rest = splice_out(pipe, right.client.get(), plenty);
  CHECK(rest.bytes == 8);
  CHECK(splice_out(pipe, right.client.get(), plenty).status == IoStatus::would_block);
  CHECK(read_exactly(right.server.get(), 16) == "through the pipe");

  REQUIRE_FALSE(finish_sending(left.client.get()));
  REQUIRE(await_events(left.server.get(), POLLIN));
  CHECK(splice_in(left.server.get(), pipe, plenty).status == IoStatus::end);
}

TEST_CASE("a full pipe and a full socket both say would_block", "[os]") {
  SocketOptions small;
  small.send_buffer = 16 * 1024;
  small.receive_buffer = 16 * 1024;
  const Pair left = tcp_pair();
  const Pair right = tcp_pair(small);
  const Pipe pipe = pipe_of(base::pipe_bytes_min);
  const std::string block(64 * 1024, 'x');
  std::size_t held = 0;
  std::size_t delivered = 0;
  const auto feed = [&] { static_cast<void>(send(left.client.get(), bytes_of(block))); };
  const auto fill = [&] {
    const IoResult in = splice_in(left.server.get(), pipe, plenty);
    held += in.bytes;
    return in.status;
  };
  const auto drain = [&] {
    const IoResult out = splice_out(pipe, right.client.get(), plenty);
    held -= out.bytes;
    delivered += out.bytes;
    return out.status;
  };
  // Until the far side takes no more, and then the pipe neither.
  REQUIRE(await_fact([&] {
    feed();
    fill();
    return drain() == IoStatus::would_block && held > 0;
  }));
  REQUIRE(await_fact([&] {
    feed();
    return fill() == IoStatus::would_block && await_events(left.server.get(), POLLIN, 0);
  }));
  CHECK(held > 0);
  CHECK(read_exactly(right.server.get(), delivered).size() == delivered);
  CHECK(await_fact([&] { return drain() == IoStatus::moved; }));
}

TEST_CASE("splice stops short of an urgent byte, and reads deliver it in line", "[os]") {
  for (const bool with_fin : {false, true}) {
    CAPTURE(with_fin);
    const Pair pair = tcp_pair();
    const Pipe pipe = pipe_of(base::pipe_bytes_min);
    send_all(pair.client.get(), "abc");
    REQUIRE(::send(pair.client.get(), "X", 1, MSG_OOB) == 1);
    send_all(pair.client.get(), "def");
    if (with_fin) REQUIRE_FALSE(finish_sending(pair.client.get()));
    REQUIRE(await_fact([&] { return unacknowledged_bytes(pair.client.get()) == 0; }));

    std::string text;
    bool splice_gave_up = false;
    bool finished = false;
    REQUIRE(await_fact([&] {
      const IoResult in = splice_in(pair.server.get(), pipe, plenty);
      if (in.status == IoStatus::moved) {
        std::string part(in.bytes, '\0');
        REQUIRE(::read(pipe.read_end.get(), part.data(), part.size()) ==
                static_cast<ssize_t>(part.size()));
        text += part;
        return false;
      }
      std::byte byte{};
      const IoResult read = receive(pair.server.get(), {&byte, 1});
      splice_gave_up = splice_gave_up || read.status == IoStatus::moved;
      finished = read.status == IoStatus::end;
      if (read.status == IoStatus::moved) text += static_cast<char>(byte);
      return text.size() >= 7 && read.status != IoStatus::moved;
    }));
    CHECK(text == "abcXdef");
    CHECK(finished == with_fin);
    CHECK(splice_gave_up);
  }
}

TEST_CASE("splicing into a socket that was reset fails and does not end the process", "[os]") {
  ignore_broken_pipes();
  Pair right = tcp_pair();
  const Pipe pipe = pipe_of(base::pipe_bytes_min);
  REQUIRE(::write(pipe.write_end.get(), "xy", 2) == 2);
  reset_on_close(right.server.get());
  right.server.reset();
  REQUIRE(await_events(right.client.get(), POLLHUP));
  REQUIRE(send(right.client.get(), bytes_of("x")).error == ECONNRESET);
  const IoResult out = splice_out(pipe, right.client.get(), plenty);
  CHECK(out.status == IoStatus::failed);
  CHECK(out.error == EPIPE);
}

}  // namespace penstock::os

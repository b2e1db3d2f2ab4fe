// What MSG_ZEROCOPY does with the memory that it was given, and how it says that it is done.

#include <time.h>  // errqueue.h uses timespec and does not declare it

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/mman.h>

#include <cstring>
#include <optional>

#include "kernel/kernel.hpp"

using namespace penstock::kernel;

namespace {

constexpr std::size_t memory_bytes = 1 << 20;

struct Memory {
  Memory()
      : begin{static_cast<char*>(::mmap(nullptr, memory_bytes, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))} {}
  ~Memory() { ::munmap(begin, memory_bytes); }
  char* begin;
};

bool allow(int socket) {
  const int on = 1;
  return ::setsockopt(socket, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) == 0;
}

ssize_t send_zerocopy(int socket, const char* begin, std::size_t bytes) {
  return ::send(socket, begin, bytes, MSG_ZEROCOPY | MSG_NOSIGNAL);
}

std::optional<sock_extended_err> next_notice(int socket) {
  char control[128];
  msghdr message{};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(socket, &message, MSG_ERRQUEUE) < 0) return std::nullopt;
  sock_extended_err notice{};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  REQUIRE(header != nullptr);
  std::memcpy(&notice, CMSG_DATA(header), sizeof notice);
  return notice;
}

int error_of(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  REQUIRE(::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
  return error;
}

// Fills the connection until its reader has to make room: what is sent last stays with the sender.
// Answers how many bytes went out.
std::size_t fill(int socket, Memory& memory) {
  std::memset(memory.begin, 'a', memory_bytes);
  std::size_t total = 0;
  for (;;) {
    const ssize_t sent = send_zerocopy(socket, memory.begin, memory_bytes);
    if (sent < 0) return total;
    total += static_cast<std::size_t>(sent);
  }
}

std::string read_all(int socket, std::size_t bytes) {
  std::string all;
  std::string part;
  while (all.size() < bytes) {
    REQUIRE(await(socket, POLLIN));
    REQUIRE(receive(socket, part) > 0);
    all += part;
  }
  return all;
}

}  // namespace

TEST_CASE("a notice names a range of sends, and loopback says that it copied after all",
          "[kernel]") {
  INFO("relay::ZerocopyFlight counts by ranges; `adaptive` leaves a path that copies");
  Pair pair = tcp_pair();
  REQUIRE(allow(pair.ours));
  Memory memory;
  REQUIRE(send_zerocopy(pair.ours, memory.begin, 20'000) == 20'000);
  REQUIRE(send_zerocopy(pair.ours, memory.begin, 20'000) == 20'000);
  read_all(pair.peer, 40'000);
  std::uint32_t done = 0;
  while (done < 2) {
    REQUIRE(await(pair.ours, POLLERR));
    const auto notice = next_notice(pair.ours);
    if (!notice) continue;
    CHECK(notice->ee_errno == 0);
    CHECK(notice->ee_origin == SO_EE_ORIGIN_ZEROCOPY);
    CHECK((notice->ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0);
    CHECK(notice->ee_info == done);  // the first of the range, counted from 0 by socket
    done = notice->ee_data + 1;      // the last
  }
}

TEST_CASE("a notice is announced as an error, but the socket bears none", "[kernel]") {
  INFO("session::note() asks SO_ERROR at EPOLLERR, and a 0 there is no failure");
  Pair pair = tcp_pair();
  REQUIRE(allow(pair.ours));
  Edges edges;
  edges.add(pair.ours, 1);
  edges.wait(0);
  Memory memory;
  REQUIRE(send_zerocopy(pair.ours, memory.begin, 20'000) == 20'000);
  read_all(pair.peer, 20'000);
  CHECK((edges.wait(5000) & EPOLLERR) != 0);
  CHECK(error_of(pair.ours) == 0);
  CHECK(next_notice(pair.ours));
}

TEST_CASE("memory that changes before its notice changes what is sent", "[kernel]") {
  INFO("a buffer goes back to its pool after the notice, never before");
  Pair pair = tcp_pair();
  REQUIRE(allow(pair.ours));
  Memory memory;
  const std::size_t sent = fill(pair.ours, memory);
  std::memset(memory.begin, 'b', memory_bytes);
  CHECK(read_all(pair.peer, sent).find('b') != std::string::npos);
}

TEST_CASE("pages that were given back while they are sent stay as they were", "[kernel]") {
  INFO("a connection that ends with sends under way gives the pages of its buffers to the kernel");
  Pair pair = tcp_pair();
  REQUIRE(allow(pair.ours));
  Memory memory;
  const std::size_t sent = fill(pair.ours, memory);
  REQUIRE(::madvise(memory.begin, memory_bytes, MADV_DONTNEED) == 0);
  std::memset(memory.begin, 'b', memory_bytes);
  pair.ours.close();  // nobody will read the notices
  CHECK(read_all(pair.peer, sent) == std::string(sent, 'a'));
}

TEST_CASE("a unix socket takes no MSG_ZEROCOPY", "[kernel]") {
  INFO("a direction towards one copies: relay::Direction asks before its first such send");
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Fd first{ends[0]};
  const Fd second{ends[1]};
  CHECK_FALSE(allow(first));
}

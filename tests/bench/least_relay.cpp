// The least that a relay of small exchanges costs: epoll, recv and send, one thread, no limits, no
// timeouts, no books. What penstock costs above it is penstock's, what it costs itself is the
// kernel's. Run by scripts/bench scale beside penstock.
//
//   least_relay --port 9101 --origin-port 9001
//
// For exchanges that a socket buffer takes: a send that falls short ends the program.

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <vector>

#include "net.hpp"

using namespace penstock::bench;

namespace {

constexpr std::size_t scratch_bytes = 64 * 1024;
constexpr std::uint64_t listener_token = ~std::uint64_t{0};

class LeastRelay {
 public:
  LeastRelay(std::uint16_t port, std::uint16_t origin_port)
      : origin_{.port = origin_port, .address = "127.0.0.1", .ports = 1},
        listener_{listen_on(port)} {
    watch(epoll_, listener_, listener_token);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const std::uint64_t token = events[static_cast<std::size_t>(i)].data.u64;
        if (token == listener_token)
          accept_all();
        else if ((events[static_cast<std::size_t>(i)].events & EPOLLIN) != 0)
          relay(token);
      }
    }
  }

 private:
  // A token is the number of a socket here: twice the connection's, plus its side.
  void accept_all() {
    for (int client = accept_from(listener_); client >= 0; client = accept_from(listener_)) {
      sockets_.push_back(client);
      sockets_.push_back(connect_to(origin_));
      watch(epoll_, sockets_.back(), sockets_.size() - 1);
      watch(epoll_, client, sockets_.size() - 2);
    }
    if (errno != EAGAIN) die("accept");
  }

  // Less than the scratch holds left the socket empty: what comes later is announced.
  void relay(std::uint64_t token) {
    const int from = sockets_[token];
    const int to = sockets_[token ^ 1];
    for (ssize_t got = scratch_bytes; got == static_cast<ssize_t>(scratch_bytes);) {
      got = ::recv(from, scratch_.data(), scratch_.size(), 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return close_both(token);
      if (::send(to, scratch_.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got)
        return close_both(token);
    }
  }

  void close_both(std::uint64_t token) {
    for (const std::uint64_t side : {token, token ^ 1}) {
      if (sockets_[side] >= 0) ::close(sockets_[side]);
      sockets_[side] = -1;
    }
  }

  const Target origin_;
  const int listener_;
  const int epoll_ = new_epoll();
  std::vector<int> sockets_;
  std::vector<char> scratch_ = std::vector<char>(scratch_bytes);
};

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  std::uint16_t origin_port = 0;
  CLI::App app{"The least that a relay costs; see the head of tests/bench/least_relay.cpp."};
  app.add_option("--port", port)->required();
  app.add_option("--origin-port", origin_port, "on this machine")->required();
  CLI11_PARSE(app, argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  LeastRelay{port, origin_port}.run();
}

#pragma once
// What the tests of the kernel share: plain system calls and nothing of penstock, so that they can
// be built and run alone on any Linux:
//
//   c++ -std=c++20 -I tests tests/kernel/*.cpp -lCatch2WithMain -luring -o kernel && ./kernel
//
// with Catch2 and liburing.
//
// Each case is a fact that the relay relies on, and its INFO names the rule of ours that would
// break on a kernel where it does not hold (docs/RELAY.md).

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <string>
#include <utility>

#include "catch.hpp"

namespace penstock::kernel {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_{number} {}
  Fd(Fd&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Fd() { close(); }
  operator int() const { return number_; }
  void close();

 private:
  int number_ = -1;
};

// Two connected TCP sockets on loopback, non-blocking, with TCP_NODELAY and SO_OOBINLINE.
struct Pair {
  Fd peer;  // the remote end
  Fd ours;  // the one that the relay would hold
};
Pair tcp_pair();
Fd listener();  // on an ephemeral port of 127.0.0.1
Fd dial(int listener);

struct Pipe {
  Fd read_end;
  Fd write_end;
};
Pipe new_pipe(int bytes);

// What a call answered: its result, or -errno.
ssize_t splice_in(int socket, const Pipe& pipe, std::size_t bytes = 1 << 20);
ssize_t splice_out(const Pipe& pipe, int socket, std::size_t bytes = 1 << 20);
ssize_t send_to(int socket, const std::string& text, int flags = 0);
ssize_t receive(int socket, std::string& into, std::size_t bytes = 1 << 16);

// Waits, for at most five seconds, until poll() says one of `events` of a descriptor.
bool await(int descriptor, short events);
bool await_unread(int socket, int bytes);  // until so many bytes are queued
int unread(int socket);                    // SIOCINQ
bool await_unsent(int socket, int bytes);  // until SIOCOUTQ says so many

// Edge-triggered, as os/poller registers.
class Edges {
 public:
  Edges();
  int add(int descriptor, std::uint64_t token);
  // The events of a token since the last call: waits up to `milliseconds` for a first one.
  unsigned wait(int milliseconds, std::uint64_t* token = nullptr);

 private:
  Fd epoll_;
};

}  // namespace penstock::kernel

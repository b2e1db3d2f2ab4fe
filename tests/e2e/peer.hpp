#pragma once
// One end of a connection that the test holds in its hand.
//
// Address  "v4:port", "[v6]:port" or "unix:/path".
// Time     every verb has a deadline, `soon`, and throws Failure when it passes.
// Thread   one at a time.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

enum class Ending : std::uint8_t { open, fin, reset };

struct Received {
  std::string bytes{};
  Ending ending = Ending::open;
};

class Peer {
 public:
  struct Options {
    int receive_buffer = 0;  // SO_RCVBUF, 0 = the kernel's own
    int send_buffer = 0;
    std::string source{};  // to bind before connecting; empty = the kernel's choice
  };
  static Peer connect(const std::string& address, const Options& options);
  static Peer connect(const std::string& address) { return connect(address, Options{}); }
  // Does not wait: the other side may never answer.
  static Peer begin_connecting(const std::string& address);
  explicit Peer(int socket) noexcept : socket_{socket} {}
  Peer(Peer&& other) noexcept : socket_{std::exchange(other.socket_, -1)}, reset_{other.reset_} {}
  Peer& operator=(Peer&& other) noexcept;
  ~Peer() { close(); }

  void send(std::string_view bytes);
  void send_urgent(char byte);
  // As much as is taken without waiting.
  std::size_t send_now(std::string_view bytes);
  void finish_sending();
  void reset();
  void close() noexcept;

  std::string read(std::size_t bytes);                 // exactly so many
  std::string read_to_end();                           // and then FIN; anything else is a Failure
  Received receive_all(Milliseconds deadline = soon);  // and then FIN, RST or the deadline

  // Without reading: whether the other side has ended, and how.
  Ending ending() const;
  bool connected() const;  // the handshake is over
  void wait_for(Ending ending, Milliseconds deadline = soon) const;

  std::string local_port() const;
  std::string remote_port() const;
  int descriptor() const noexcept { return socket_; }

 private:
  int socket_;
  bool reset_ = false;  // connect() or send() was told of it: no later call will be
};

// Fills `out` with what came, without waiting; `open` also where nothing came.
Ending receive_now(int socket, std::string& out);

}  // namespace penstock::e2e

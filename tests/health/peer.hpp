#pragma once
// Endpoints for health checks: a thread that serves one connection after the other by a script.

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "os/loopback.hpp"

namespace penstock::testing {

// Accepts in its own thread until it goes; `serve` gets each connection, and hears that the other
// side has finished by an exception or an empty read.
class Peer {
 public:
  using Serve = std::function<void(int socket)>;

  explicit Peer(Serve serve, const os::SocketAddress& at = loopback_v4())
      : listener_{listen_at(at)},
        address_{at.is_unix() ? at : address_of(listener_.get())},
        thread_{[this, serve = std::move(serve)] { run(serve); }} {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    stop_ = true;
    thread_.join();
  }

  const os::SocketAddress& address() const { return address_; }

 private:
  void run(const Serve& serve) {
    while (!stop_) {
      if (!await_events(listener_.get(), POLLIN, 5)) continue;
      const os::Fd socket = accept_one(listener_.get());
      try {
        serve(socket.get());
      } catch (const std::exception&) {
      }
    }
  }

  os::Fd listener_;
  os::SocketAddress address_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Reads until `end` has come.
inline std::string read_until(int socket, std::string_view end) {
  std::string text;
  while (text.find(end) == std::string::npos) {
    const std::string part = read_some(socket);
    if (part.empty()) throw std::runtime_error{"the other side finished too early"};
    text += part;
  }
  return text;
}

// A port that refuses: bound by nobody who listens.
inline os::SocketAddress refusing_address() {
  const os::Fd listener = listen_at(loopback_v4());
  return address_of(listener.get());
}

}  // namespace penstock::testing

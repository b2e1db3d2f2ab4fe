#pragma once
// Real sockets on loopback and a directory that goes away, for tests. Every wait is for a fact,
// with a deadline; a helper that cannot keep its word fails the test by an exception.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/socket.hpp"

namespace penstock::testing {

inline constexpr int patience_milliseconds = 5000;

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

// True as soon as one of the poll(2) events holds.
inline bool await_events(int descriptor, short events, int milliseconds = patience_milliseconds) {
  pollfd entry{.fd = descriptor, .events = events, .revents = 0};
  return ::poll(&entry, 1, milliseconds) == 1;
}

// True as soon as the fact holds; asks again and again.
inline bool await_fact(const std::function<bool()>& fact) {
  const auto deadline = os::now() + std::chrono::milliseconds{patience_milliseconds};
  while (!fact()) {
    if (os::now() > deadline) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

inline os::SocketAddress loopback_v4(std::uint16_t port = 0) {
  os::IpEndpoint ip;
  ip.family = os::IpEndpoint::Family::v4;
  ip.bytes[0] = 127;
  ip.bytes[3] = 1;
  ip.port = port;
  return os::SocketAddress{ip};
}

inline os::SocketAddress loopback_v6(std::uint16_t port = 0) {
  os::IpEndpoint ip;
  ip.family = os::IpEndpoint::Family::v6;
  ip.bytes[15] = 1;
  ip.port = port;
  return os::SocketAddress{ip};
}

inline os::Fd listen_at(const os::SocketAddress& address, const os::SocketOptions& options = {}) {
  auto listener = os::listen_on(address, {}, options);
  if (!listener) throw std::runtime_error{listener.error()};
  return std::move(*listener);
}

// The address at which a listener of port 0 can be reached.
inline os::SocketAddress address_of(int listener) {
  return os::SocketAddress{os::local_endpoint(listener)};
}

inline os::Fd accept_one(int listener, os::IpEndpoint* peer = nullptr) {
  if (!await_events(listener, POLLIN)) throw std::runtime_error{"nobody connected"};
  os::IpEndpoint unused;
  auto accepted = os::accept_from(listener, peer == nullptr ? unused : *peer);
  if (!accepted) throw std::runtime_error{accepted.error().message()};
  return std::move(*accepted);
}

inline os::Fd dial(const os::SocketAddress& address, const os::SocketOptions& options = {}) {
  auto socket = os::connect_to(address, options);
  if (!socket) throw std::runtime_error{socket.error().message()};
  if (!await_events(socket->get(), POLLOUT)) throw std::runtime_error{"nobody answered"};
  return std::move(*socket);
}

// Two ends of one connection, non-blocking.
struct Pair {
  os::Fd client;
  os::Fd server;
};

inline Pair connect_pair(const os::SocketAddress& address, const os::SocketOptions& options = {}) {
  const os::Fd listener = listen_at(address, options);
  const bool is_unix = address.is_unix();
  Pair pair;
  pair.client = dial(is_unix ? address : address_of(listener.get()), options);
  pair.server = accept_one(listener.get());
  return pair;
}

inline Pair tcp_pair(const os::SocketOptions& options = {}) {
  return connect_pair(loopback_v4(), options);
}

inline void send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const os::IoResult result = os::send(socket, bytes_of(text));
    if (result.status == os::IoStatus::moved)
      text.remove_prefix(result.bytes);
    else if (result.status != os::IoStatus::would_block || !await_events(socket, POLLOUT))
      throw std::runtime_error{"cannot send"};
  }
}

// One read, waiting for it; empty at FIN.
inline std::string read_some(int socket, std::size_t bytes_max = 64 * 1024) {
  std::string text(bytes_max, '\0');
  for (;;) {
    const os::IoResult result = os::receive(socket, std::as_writable_bytes(std::span{text}));
    text.resize(result.bytes);
    if (result.status == os::IoStatus::moved || result.status == os::IoStatus::end) return text;
    if (result.status != os::IoStatus::would_block || !await_events(socket, POLLIN))
      throw std::runtime_error{"cannot read"};
    text.resize(bytes_max);
  }
}

inline std::string read_exactly(int socket, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    const std::string part = read_some(socket, bytes - text.size());
    if (part.empty()) throw std::runtime_error{"the peer finished too early"};
    text += part;
  }
  return text;
}

inline std::string read_to_end(int socket) {
  std::string text;
  for (std::string part = read_some(socket); !part.empty(); part = read_some(socket)) text += part;
  return text;
}

// The errno with which a read ends, 0 at FIN.
inline int error_at_end(int socket) {
  std::byte buffer[4096];
  for (;;) {
    const os::IoResult result = os::receive(socket, buffer);
    if (result.status == os::IoStatus::end) return 0;
    if (result.status == os::IoStatus::failed) return result.error;
    if (result.status == os::IoStatus::would_block && !await_events(socket, POLLIN))
      throw std::runtime_error{"the connection did not end"};
  }
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  // Makes the directories on the way as well.
  void write(const std::string& name, std::string_view content) const {
    const auto target = path_ / name;
    std::filesystem::create_directories(target.parent_path());
    std::ofstream{target, std::ios::binary} << content;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace penstock::testing

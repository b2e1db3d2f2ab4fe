#include "e2e/peer.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "e2e/address.hpp"

namespace penstock::e2e {

namespace {

bool is_ready(int socket, short events, int milliseconds) {
  pollfd waited{.fd = socket, .events = events, .revents = 0};
  return ::poll(&waited, 1, milliseconds) > 0;
}

void wait_ready(int socket, short events, Clock::time_point deadline, const char* what) {
  if (!is_ready(socket, events, milliseconds_until(deadline)))
    throw Failure{std::string{"waited too long to "} + what};
}

void set_number(int socket, int level, int name, int value) {
  if (value != 0) ::setsockopt(socket, level, name, &value, sizeof value);
}

int make_socket(const NativeAddress& native, const Peer::Options& options) {
  const int socket =
      ::socket(native.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) fail_with_errno("socket");
  set_number(socket, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
  set_number(socket, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
  if (native.storage.ss_family != AF_UNIX) set_number(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.source.empty()) return socket;
  const NativeAddress source = to_native(options.source);
  if (::bind(socket, source.get(), source.length) != 0) fail_with_errno("bind");
  return socket;
}

std::string port_text(int socket, int (*name_of)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  name_of(socket, reinterpret_cast<sockaddr*>(&storage), &length);
  const auto port = storage.ss_family == AF_INET6
                        ? reinterpret_cast<const sockaddr_in6&>(storage).sin6_port
                        : reinterpret_cast<const sockaddr_in&>(storage).sin_port;
  return std::to_string(ntohs(port));
}

}  // namespace

Ending receive_now(int socket, std::string& out) {
  std::array<char, 65536> chunk;
  for (;;) {
    const auto bytes = ::recv(socket, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (bytes > 0)
      out.append(chunk.data(), static_cast<std::size_t>(bytes));
    else if (bytes == 0)
      return Ending::fin;
    else if (errno == EAGAIN)
      return Ending::open;
    else if (errno == ECONNRESET || errno == EPIPE)
      return Ending::reset;
    else if (errno != EINTR)
      fail_with_errno("recv");
  }
}

Peer Peer::begin_connecting(const std::string& address) {
  const NativeAddress native = to_native(address);
  Peer peer{make_socket(native, {})};
  if (::connect(peer.socket_, native.get(), native.length) != 0 && errno != EINPROGRESS)
    fail_with_errno("connect to " + address);
  return peer;
}

Peer Peer::connect(const std::string& address, const Options& options) {
  const NativeAddress native = to_native(address);
  Peer peer{make_socket(native, options)};
  const auto deadline = Clock::now() + soon;
  // A unix socket answers EAGAIN where the queue is full.
  while (::connect(peer.socket_, native.get(), native.length) != 0) {
    if (errno == EINPROGRESS) break;
    if (errno != EAGAIN || Clock::now() > deadline) fail_with_errno("connect to " + address);
    ::poll(nullptr, 0, 1);
  }
  wait_ready(peer.socket_, POLLOUT, deadline, "connect");
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(peer.socket_, SOL_SOCKET, SO_ERROR, &error, &length);
  errno = error;
  // A connection that was reset at once did stand: the RST is for the reader to find.
  peer.reset_ = error == ECONNRESET;
  if (error != 0 && !peer.reset_) fail_with_errno("connect to " + address);
  return peer;
}

Peer& Peer::operator=(Peer&& other) noexcept {
  close();
  socket_ = std::exchange(other.socket_, -1);
  reset_ = other.reset_;
  return *this;
}

void Peer::close() noexcept {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

std::size_t Peer::send_now(std::string_view bytes) {
  const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == ECONNRESET) reset_ = true;
  if (errno != EAGAIN) fail_with_errno("send");
  return 0;
}

void Peer::send(std::string_view bytes) {
  const auto deadline = Clock::now() + soon;
  while (!bytes.empty()) {
    wait_ready(socket_, POLLOUT, deadline, "send");
    bytes.remove_prefix(send_now(bytes));
  }
}

void Peer::send_urgent(char byte) {
  wait_ready(socket_, POLLOUT, Clock::now() + soon, "send");
  if (::send(socket_, &byte, 1, MSG_OOB | MSG_NOSIGNAL) != 1) fail_with_errno("send urgent");
}

void Peer::finish_sending() {
  // Where the other side has reset it already, who reads is told.
  if (::shutdown(socket_, SHUT_WR) != 0 && errno != ENOTCONN) fail_with_errno("shutdown");
}

void Peer::reset() {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

std::string Peer::read(std::size_t bytes) {
  const auto deadline = Clock::now() + soon;
  std::string got(bytes, '\0');
  std::size_t filled = 0;
  while (filled < bytes) {
    wait_ready(socket_, POLLIN, deadline, "read");
    const auto count = ::recv(socket_, got.data() + filled, bytes - filled, MSG_DONTWAIT);
    if (count == 0) throw Failure{"FIN after " + std::to_string(filled) + " bytes"};
    if (count < 0 && errno != EAGAIN) fail_with_errno("read");
    if (count > 0) filled += static_cast<std::size_t>(count);
  }
  return got;
}

Received Peer::receive_all(Milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  Received received;
  while (received.ending == Ending::open && is_ready(socket_, POLLIN, milliseconds_until(deadline)))
    received.ending = receive_now(socket_, received.bytes);
  if (reset_) received.ending = Ending::reset;
  return received;
}

std::string Peer::read_to_end() {
  Received received = receive_all(60s);
  const std::string after = " after " + std::to_string(received.bytes.size()) + " bytes";
  if (received.ending == Ending::reset) throw Failure{"RST" + after + " instead of FIN"};
  if (received.ending == Ending::open) throw Failure{"no FIN" + after};
  return std::move(received.bytes);
}

Ending Peer::ending() const {
  if (reset_) return Ending::reset;
  pollfd looked{.fd = socket_, .events = POLLIN | POLLRDHUP, .revents = 0};
  ::poll(&looked, 1, 0);
  if ((looked.revents & POLLERR) != 0) return Ending::reset;
  return (looked.revents & POLLRDHUP) != 0 ? Ending::fin : Ending::open;
}

bool Peer::connected() const {
  return is_ready(socket_, POLLOUT, 0);
}

void Peer::wait_for(Ending wanted, Milliseconds deadline) const {
  const char* what = wanted == Ending::reset ? "RST" : "FIN";
  wait_until(
      what, [&] { return ending() == wanted; }, deadline);
}

std::string Peer::local_port() const {
  return port_text(socket_, ::getsockname);
}
std::string Peer::remote_port() const {
  return port_text(socket_, ::getpeername);
}

}  // namespace penstock::e2e

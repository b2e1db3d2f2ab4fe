#include "origin.hpp"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "net.hpp"

namespace penstock::bench {

namespace {

constexpr std::size_t file_bytes = 16 << 20;
constexpr std::size_t turn_bytes = 4 << 20;  // of one connection before the others have their turn

int make_file() {
  const int file = ::memfd_create("source", MFD_CLOEXEC);
  const std::vector<char> content(file_bytes, 'x');
  if (::write(file, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    die("memfd");
  return file;
}

}  // namespace

Origin::Origin(Kind kind, std::uint16_t port, std::vector<std::size_t> sizes)
    : kind_{kind},
      sizes_{std::move(sizes)},
      answer_(*std::max_element(sizes_.begin(), sizes_.end()), 'a'),
      listener_{listen_on(port)},
      epoll_{new_epoll()} {
  if (kind == Kind::source) file_ = make_file();
  watch(epoll_, listener_, static_cast<std::uint64_t>(listener_));
  thread_ = std::thread{[this] { run(); }};
}

Origin::~Origin() {
  stop_ = true;
  thread_.join();
  for (const auto& [socket, connection] : connections_) ::close(socket);
  ::close(listener_);
  ::close(epoll_);
  if (file_ >= 0) ::close(file_);
}

void Origin::run() {
  std::array<epoll_event, 256> events;
  bool more = false;
  while (!stop_) {
    const int patience = more ? 0 : 50;
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patience);
    for (int i = 0; i < count; ++i) {
      const int socket = static_cast<int>(events[static_cast<std::size_t>(i)].data.u64);
      if (socket == listener_)
        accept_all();
      else if (connections_.contains(socket))
        serve(socket);
    }
    // Edge-triggered: who used up its turn is not announced again.
    more = false;
    if (kind_ == Kind::source)
      for (const auto& [socket, connection] : connections_) more = pour(socket) || more;
  }
}

void Origin::accept_all() {
  for (int socket = accept_from(listener_); socket >= 0; socket = accept_from(listener_)) {
    connections_[socket] = {};
    watch(epoll_, socket, static_cast<std::uint64_t>(socket));
  }
}

void Origin::serve(int socket) {
  Connection& connection = connections_[socket];
  const bool alive = receive(socket, connection);
  if (alive && kind_ == Kind::reply) pay(socket, connection);
  if (alive && !(connection.finished && connection.owed == 0)) return;
  ::close(socket);
  connections_.erase(socket);
}

bool Origin::receive(int socket, Connection& connection) {
  // MSG_TRUNC: a TCP socket drops the bytes without copying them.
  for (;;) {
    const ssize_t count = ::recv(socket, nullptr, 1 << 20, MSG_TRUNC);
    if (count < 0) return errno == EAGAIN;
    if (count == 0) {
      connection.finished = true;
      return true;
    }
    connection.received += static_cast<std::size_t>(count);
    while (connection.received >= sizes_[connection.turn]) {
      connection.received -= sizes_[connection.turn];
      connection.owed += sizes_[connection.turn];
      connection.turn = (connection.turn + 1) % sizes_.size();
    }
  }
}

void Origin::pay(int socket, Connection& connection) {
  while (connection.owed > 0) {
    const std::size_t part = std::min(connection.owed, answer_.size());
    const ssize_t count = ::send(socket, answer_.data(), part, MSG_NOSIGNAL);
    if (count < 0) return;
    connection.owed -= static_cast<std::size_t>(count);
  }
}

bool Origin::pour(int socket) {
  off_t offset = 0;
  for (std::size_t sent = 0; sent < turn_bytes;) {
    offset = 0;
    const ssize_t count = ::sendfile(socket, file_, &offset, 1 << 20);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace penstock::bench

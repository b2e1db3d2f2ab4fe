#include "kernel/kernel.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace penstock::kernel {

namespace {

void check(bool good, const char* what) {
  if (!good) throw std::runtime_error{std::string{what} + ": errno " + std::to_string(errno)};
}

template <class Fact>
bool await_fact(Fact&& fact) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  while (!fact()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

ssize_t or_error(ssize_t result) {
  return result < 0 ? -errno : result;
}

}  // namespace

void Fd::close() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Fd listener() {
  Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int one = 1;
  check(::setsockopt(socket, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one) == 0, "SO_OOBINLINE");
  check(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "TCP_NODELAY");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  check(::listen(socket, 16) == 0, "listen");
  return socket;
}

Fd dial(int listening) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  check(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &length) == 0, "name");
  Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  check(::connect(socket, reinterpret_cast<sockaddr*>(&address), length) == 0, "connect");
  const int one = 1;
  check(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "TCP_NODELAY");
  check(::fcntl(socket, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
  return socket;
}

Pair tcp_pair() {
  const Fd listening = listener();
  Pair pair;
  pair.peer = dial(listening);
  pair.ours = Fd{::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  check(pair.ours >= 0, "accept4");
  return pair;
}

Pipe new_pipe(int bytes) {
  int ends[2];
  check(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0, "pipe2");
  Pipe pipe{Fd{ends[0]}, Fd{ends[1]}};
  check(::fcntl(ends[1], F_SETPIPE_SZ, bytes) >= 0, "F_SETPIPE_SZ");
  return pipe;
}

ssize_t splice_in(int socket, const Pipe& pipe, std::size_t bytes) {
  return or_error(
      ::splice(socket, nullptr, pipe.write_end, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

ssize_t splice_out(const Pipe& pipe, int socket, std::size_t bytes) {
  return or_error(
      ::splice(pipe.read_end, nullptr, socket, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

ssize_t send_to(int socket, const std::string& text, int flags) {
  return or_error(::send(socket, text.data(), text.size(), flags | MSG_NOSIGNAL));
}

ssize_t receive(int socket, std::string& into, std::size_t bytes) {
  into.resize(bytes);
  const ssize_t count = or_error(::recv(socket, into.data(), into.size(), 0));
  into.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return count;
}

bool await(int descriptor, short events) {
  pollfd entry{descriptor, events, 0};
  return ::poll(&entry, 1, 5000) == 1 && (entry.revents & events) != 0;
}

int unread(int socket) {
  int queued = 0;
  return ::ioctl(socket, FIONREAD, &queued) == 0 ? queued : -1;
}

bool await_unread(int socket, int bytes) {
  return await_fact([&] { return unread(socket) == bytes; });
}

bool await_unsent(int socket, int bytes) {
  return await_fact([&] {
    int queued = 0;
    return ::ioctl(socket, SIOCOUTQ, &queued) == 0 && queued == bytes;
  });
}

Edges::Edges() : epoll_{::epoll_create1(EPOLL_CLOEXEC)} {}

int Edges::add(int descriptor, std::uint64_t token) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
  event.data.u64 = token;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
}

unsigned Edges::wait(int milliseconds, std::uint64_t* token) {
  epoll_event event{};
  if (::epoll_wait(epoll_, &event, 1, milliseconds) != 1) return 0;
  if (token != nullptr) *token = event.data.u64;
  return event.events;
}

}  // namespace penstock::kernel

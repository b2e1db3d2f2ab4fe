#include "e2e/origin.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "e2e/address.hpp"
#include "e2e/network.hpp"

namespace penstock::e2e {

Origin::Origin() : Origin{free_address()} {}

Origin::Origin(const std::string& address, Options options) : address_{address} {
  const NativeAddress native = to_native(address);
  socket_ = ::socket(native.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (options.receive_buffer != 0)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof(int));
  if (::bind(socket_, native.get(), native.length) != 0 || ::listen(socket_, options.backlog) != 0)
    fail_with_errno("listen on " + address);
}

Origin::~Origin() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  ::close(socket_);
}

bool Origin::somebody_waits() const {
  pollfd waited{.fd = socket_, .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, 0) > 0;
}

Peer Origin::accept(Milliseconds deadline) {
  pollfd waited{.fd = socket_, .events = POLLIN, .revents = 0};
  if (::poll(&waited, 1, static_cast<int>(deadline.count())) <= 0)
    throw Failure{"nobody connected to " + address_};
  const int socket = ::accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) fail_with_errno("accept");
  return Peer{socket};
}

void Origin::serve(std::function<void(Peer)> script) {
  thread_ = std::thread{[this, script = std::move(script)] {
    while (!stopping_) {
      pollfd waited{.fd = socket_, .events = POLLIN, .revents = 0};
      if (::poll(&waited, 1, 10) <= 0) continue;
      try {
        script(accept());
        ++served_;
      } catch (const Failure&) {
        // The other side of this connection sees it end, and the test looks there.
      }
    }
  }};
}

BlackHole::BlackHole(int backlog) : origin_{free_address(), {.backlog = backlog}} {
  for (int i = 0; i < backlog + 8; ++i)
    fillers_.push_back(Peer::begin_connecting(origin_.address()));
  // A queue takes one more than the backlog says. On a busy machine handshakes come late.
  wait_until("the queue is full", [&] {
    return std::count_if(fillers_.begin(), fillers_.end(),
                         [](const Peer& filler) { return filler.connected(); }) == backlog + 1;
  });
}

Origin& BlackHole::come_back() {
  fillers_.clear();
  while (origin_.somebody_waits()) origin_.accept();
  return origin_;
}

void echo(Peer peer) {
  for (;;) {
    pollfd waited{.fd = peer.descriptor(), .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, static_cast<int>(soon.count())) <= 0) return;
    std::string bytes;
    const Ending ending = receive_now(peer.descriptor(), bytes);
    peer.send(bytes);
    if (ending != Ending::open) return;
  }
}

std::function<void(Peer)> say(std::string text) {
  return [text = std::move(text)](Peer peer) {
    peer.receive_all();
    peer.send(text);
  };
}

std::function<void(Peer)> greet(std::string text) {
  return [text = std::move(text)](Peer peer) {
    peer.send(text);
    peer.finish_sending();
    peer.receive_all();
  };
}

}  // namespace penstock::e2e

#include "os/socket_buffers.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <climits>

#include "os/fd.hpp"

namespace penstock::os {

namespace {

std::size_t granted(int socket, int name, std::size_t asked) noexcept {
  if (asked == 0) return 0;
  const int wanted = static_cast<int>(std::min<std::size_t>(asked, INT_MAX));
  int given = 0;
  socklen_t length = sizeof given;
  if (::setsockopt(socket, SOL_SOCKET, name, &wanted, sizeof wanted) != 0 ||
      ::getsockopt(socket, SOL_SOCKET, name, &given, &length) != 0)
    return asked;
  // socket(7): the kernel doubles what it was asked for, and lifts what is too small.
  return std::min(asked, static_cast<std::size_t>(given) / 2);
}

}  // namespace

SocketBuffers granted_buffers(const SocketBuffers& asked) noexcept {
  const Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket) return asked;
  return {.receive = granted(socket.get(), SO_RCVBUF, asked.receive),
          .send = granted(socket.get(), SO_SNDBUF, asked.send)};
}

}  // namespace penstock::os

#pragma once
// What poll(2), epoll(7) and a ring say of a socket, in one form: the bits are the same.
// Only for the .cpp files of this floor.

#include <poll.h>

#include "os/poller.hpp"

namespace penstock::os {

inline Readiness readiness_from(unsigned events) noexcept {
  // HUP alone (both directions shut) needs no flag of its own: the reads and writes find it.
  return {.readable = (events & (POLLIN | POLLRDHUP | POLLHUP | POLLERR)) != 0,
          .writable = (events & (POLLOUT | POLLHUP | POLLERR)) != 0,
          .urgent = (events & POLLPRI) != 0,
          .peer_finished = (events & (POLLRDHUP | POLLHUP)) != 0,
          .failed = (events & POLLERR) != 0};
}

}  // namespace penstock::os

#pragma once
// Sending without a copy: the kernel sends from the caller's own pages, and says in the socket's
// error queue when it no longer needs them.
//
// What the kernel does (tests/kernel/zerocopy_test.cpp, measured on Linux 6.18):
//   - Every send that took bytes has a number, from 0 on by socket, modulo 2^32. A notice names a
//     range of them; several may become one, and ranges may come out of order.
//   - Where the kernel copied after all (loopback and veth always do), the notice says so.
//   - Memory that changes before its notice changes what is sent, also after close(). Pages that
//     were given back meanwhile (drop_pages) stay with the kernel as they were.
//   - A notice is announced as EPOLLERR, while SO_ERROR stays 0.
//
// Thread   any; a socket belongs to one thread at a time.
// Source   Documentation/networking/msg_zerocopy.rst of Linux.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "os/socket.hpp"

namespace penstock::os {

// Once per socket, before its first send_zerocopy(). Errors: EOPNOTSUPP, where this kind of socket
// (unix) or this kernel does not have it.
base::ErrorCode allow_zerocopy(int socket) noexcept;

// As send(). `failed` with ENOBUFS: no room for another notice (net.core.optmem_max), or too many
// pages are locked (RLIMIT_MEMLOCK); nothing was taken, and send() may still go through.
IoResult send_zerocopy(int socket, std::span<const std::byte> bytes) noexcept;

struct ZerocopyNotice {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // included
  bool copied = false;
};
// The next notice; empty where none waits.
std::optional<ZerocopyNotice> take_zerocopy_notice(int socket) noexcept;

}  // namespace penstock::os

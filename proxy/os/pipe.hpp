#pragma once
// A pipe as the middle of a splice: splice(2) moves pages only between a pipe and something else,
// so a socket-to-socket move goes through one.
//
// What the kernel does (measured on Linux 6.18):
//   - A pipe fills by slots, not bytes: every fragment takes a slot, so sixteen 1-byte segments
//     fill a 64 KiB pipe, and large fragments make it hold several times its nominal size.
//   - Beyond fs.pipe-user-pages-soft, counted per user over all containers, new pipes have two
//     pages and F_SETPIPE_SZ answers EPERM. Root without CAP_SYS_RESOURCE is bound by it too.
//   - splice() raises SIGPIPE on a dead target and knows no MSG_NOSIGNAL: os/process.hpp ignores
//     it.

#include <cstddef>
#include <span>

#include "base/result.hpp"
#include "os/fd.hpp"
#include "os/socket.hpp"

namespace penstock::os {

struct Pipe {
  Fd read_end;
  Fd write_end;
  std::size_t capacity = 0;  // as the kernel says, after asking for another
};

// Asks for `bytes`, and where that is refused for 64 KiB; `capacity` tells what came of it.
// Errors: EMFILE, ENFILE, ENOMEM.
base::Result<Pipe> open_pipe(std::size_t bytes) noexcept;

// Asks for `bytes` of an empty pipe; `capacity` tells what came of it. Refused with EPERM beyond
// fs.pipe-max-size and fs.pipe-user-pages-soft, with ENOMEM.
void resize_pipe(Pipe& pipe, std::size_t bytes) noexcept;

// From a socket into a pipe. would_block is ambiguous: nothing to read, no free slot, or an urgent
// mark ahead. end is ambiguous too: FIN, or an urgent mark with data behind it. Ask receive().
IoResult splice_in(int socket, const Pipe& pipe, std::size_t bytes_max) noexcept;

// From a pipe into a socket. Never with SPLICE_F_MORE: it would hold back the last partial segment
// of a message for up to 200 ms, and gave nothing in bulk.
IoResult splice_out(const Pipe& pipe, int socket, std::size_t bytes_max) noexcept;

// Takes bytes out of a pipe by copying, where splice_out() is refused. would_block: it is empty.
IoResult read_pipe(const Pipe& pipe, std::span<std::byte> into) noexcept;

}  // namespace penstock::os

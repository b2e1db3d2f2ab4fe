#include "os/pipe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.hpp"

namespace penstock::os {

namespace {

// The kernel takes an int-sized count less a page; larger ones would be an error, not clamped.
constexpr std::size_t splice_bytes_max = 1 << 30;

// Repeats a call that a signal interrupted.
template <class Call>
IoResult uninterrupted(Call&& call) noexcept {
  for (;;) {
    const ssize_t count = call();
    if (count > 0) return {.status = IoStatus::moved, .bytes = static_cast<std::size_t>(count)};
    if (count == 0) return {.status = IoStatus::end};
    if (errno == EAGAIN) return {.status = IoStatus::would_block};
    if (errno != EINTR) return {.status = IoStatus::failed, .error = errno};
  }
}

IoResult splice_once(int from, int to, std::size_t bytes) noexcept {
  return uninterrupted([&] {
    return ::splice(from, nullptr, to, nullptr, std::min(bytes, splice_bytes_max),
                    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  });
}

}  // namespace

base::Result<Pipe> open_pipe(std::size_t bytes) noexcept {
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return base::error_from(errno);
  Pipe pipe{.read_end = Fd{ends[0]}, .write_end = Fd{ends[1]}};
  resize_pipe(pipe, bytes);
  if (pipe.capacity < bytes && bytes > base::pipe_bytes_min)
    resize_pipe(pipe, base::pipe_bytes_min);
  return pipe;
}

void resize_pipe(Pipe& pipe, std::size_t bytes) noexcept {
  // Its answer is the new size, but after a refusal the old one has to be asked for.
  int size = ::fcntl(pipe.write_end.get(), F_SETPIPE_SZ, static_cast<int>(bytes));
  if (size < 0) size = ::fcntl(pipe.write_end.get(), F_GETPIPE_SZ);
  pipe.capacity = static_cast<std::size_t>(std::max(0, size));
}

IoResult splice_in(int socket, const Pipe& pipe, std::size_t bytes_max) noexcept {
  return splice_once(socket, pipe.write_end.get(), bytes_max);
}

IoResult splice_out(const Pipe& pipe, int socket, std::size_t bytes_max) noexcept {
  return splice_once(pipe.read_end.get(), socket, bytes_max);
}

IoResult read_pipe(const Pipe& pipe, std::span<std::byte> into) noexcept {
  return uninterrupted([&] { return ::read(pipe.read_end.get(), into.data(), into.size()); });
}

}  // namespace penstock::os

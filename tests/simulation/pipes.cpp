// The pipes of the simulated kernel.

#include <algorithm>
#include <cerrno>

#include "simulation/kernel.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

using os::IoResult;
using os::IoStatus;

base::Result<os::Pipe> Kernel::open_pipe(std::size_t bytes) noexcept {
  enter();
  if (fails()) return base::error_from(EMFILE);
  const std::size_t capacity = conditions_.small_pipes ? 8192 : bytes;
  const auto buffer =
      std::make_shared<PipeBuffer>(PipeBuffer{.slots = capacity / 4096, .filled = {}});
  os::Pipe result;
  result.read_end = os::Fd{place({.kind = Kind::pipe, .socket = nullptr, .pipe = buffer})};
  result.write_end = os::Fd{place({.kind = Kind::pipe, .socket = nullptr, .pipe = buffer})};
  result.capacity = capacity;
  return result;
}

// May be refused at any time: the limits are the user's, who has other processes.
void Kernel::resize_pipe(os::Pipe& pipe, std::size_t bytes) noexcept {
  enter();
  PipeBuffer& buffer = this->pipe(pipe.write_end.get());
  if (conditions_.small_pipes || fails()) return;
  if (bytes / 4096 < buffer.filled.size()) return;
  buffer.slots = bytes / 4096;
  pipe.capacity = bytes;
}

// A failure of the call, not of the socket: no memory, or a kind of socket that cannot do it.
IoResult Kernel::refused_splice() noexcept {
  return {.status = IoStatus::failed, .error = random_.one_in(2) ? ENOMEM : EINVAL};
}

IoResult Kernel::splice_in(int descriptor, int pipe_end, std::size_t bytes_max) noexcept {
  enter();
  Socket& from = socket(descriptor);
  PipeBuffer& into = pipe(pipe_end);
  nobody_else_reads(from);
  if (into.filled.size() >= into.slots) return {.status = IoStatus::would_block};
  if (fails()) return refused_splice();
  if (!into.filled.empty() &&
      (into.filled.back().connection != from.connection || into.filled.back().side != from.side))
    violated("a pooled pipe is empty", from.connection, "it holds bytes of another one");
  std::uint64_t left = std::min<std::uint64_t>(bytes_max, before_mark(from, true));
  if (left == 0) return nothing_to_read(from);
  std::size_t moved = 0;
  while (left > 0 && into.filled.size() < into.slots) {
    const auto part =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(from.fragments.front(), left));
    into.filled.push_back({from.connection, from.side, from.read, part});
    consume(from, part);
    left -= part;
    moved += part;
    if (random_.one_in(conditions_.short_in)) break;
  }
  world_.holds(from);
  return {.status = IoStatus::moved, .bytes = moved};
}

IoResult Kernel::splice_out(int pipe_end, int descriptor, std::size_t bytes_max) noexcept {
  enter();
  PipeBuffer& from = pipe(pipe_end);
  Socket& to = socket(descriptor);
  if (from.filled.empty()) return {.status = IoStatus::would_block};
  if (fails()) return refused_splice();
  if (const auto refusal = cannot_send(to)) return *refusal;
  std::size_t moved = 0;
  while (!from.filled.empty() && moved < bytes_max) {
    Slot& slot = from.filled.front();
    const auto part = static_cast<std::uint32_t>(
        std::min<std::uint64_t>({slot.bytes, bytes_max - moved, to.room()}));
    if (part == 0) break;
    world_.splices(to, slot.connection, slot.side, slot.offset);
    to.sent += part;
    moved += part;
    slot.offset += part;
    slot.bytes -= part;
    if (slot.bytes == 0) from.filled.pop_front();
    if (random_.one_in(conditions_.short_in)) break;
  }
  if (to.room() == 0) to.met_full = true;
  ++progress_;
  ++to.writes;
  return {.status = IoStatus::moved, .bytes = moved};
}

IoResult Kernel::read_pipe(int pipe_end, std::span<std::byte> into) noexcept {
  enter();
  PipeBuffer& from = pipe(pipe_end);
  std::size_t moved = 0;
  while (!from.filled.empty() && moved < into.size()) {
    Slot& slot = from.filled.front();
    const auto part =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(slot.bytes, into.size() - moved));
    world_.fill(into.subspan(moved, part), slot.connection, slot.side, slot.offset);
    moved += part;
    slot.offset += part;
    slot.bytes -= part;
    if (slot.bytes == 0) from.filled.pop_front();
    if (random_.one_in(conditions_.short_in)) break;
  }
  ++progress_;
  if (moved == 0) return {.status = IoStatus::would_block};
  return {.status = IoStatus::moved, .bytes = moved};
}

}  // namespace penstock::simulation

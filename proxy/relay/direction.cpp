#include "relay/direction.hpp"

#include <cerrno>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "os/socket.hpp"

namespace penstock::relay {

using os::IoResult;
using os::IoStatus;

namespace {

// What fills a pipe of 1 MiB is a little less than that, for some of its pages are not full: the
// budget has no room for a second one.
constexpr std::size_t run_ends_at = base::direction_budget_bytes / 8 * 7;

// The call failed, not the socket: its kind cannot be spliced, a filter of system calls forbids it,
// or there is no memory for it. A copy may still go through.
bool refuses_splice(int error) noexcept {
  return error == EINVAL || error == ENOSYS || error == ENOMEM || error == EPERM ||
         error == EOPNOTSUPP;
}

// A read that came back short may have emptied the socket. Not where FIN or a mark was announced:
// then it may have stopped before something that will not be announced again.
bool short_read_may_be_last(const Side& source) noexcept {
  return source.short_read_is_empty && !source.finishing && !source.urgent;
}

}  // namespace

Direction::Run Direction::run(Side& source, Side& target, Workspace& workspace) noexcept {
  const std::uint64_t before = bytes();
  std::uint32_t writes = 0;
  Step last = Step::moved;
  for (int steps = 0;
       last == Step::moved && steps < base::direction_steps_max && bytes() - before < run_ends_at;
       ++steps) {
    const std::uint64_t so_far = bytes();
    last = step(source, target, workspace);
    writes += bytes() != so_far ? 1 : 0;
  }
  if (last == Step::source_empty && workspace.ring != nullptr) await_source(source, workspace);
  const auto moved = static_cast<std::size_t>(bytes() - before);
  switch (last) {
    case Step::moved: return {Outcome::hungry, moved, writes};
    case Step::source_empty: return {Outcome::source_empty, moved, writes};
    case Step::target_full: return {Outcome::target_full, moved, writes};
    case Step::no_buffer: return {Outcome::no_buffer, moved, writes};
    case Step::finished: return {Outcome::finished, moved, writes};
    case Step::source_failed: return {Outcome::source_failed, moved, writes};
    case Step::target_failed: return {Outcome::target_failed, moved, writes};
  }
  PENSTOCK_ASSERT(false);
}

Direction::Step Direction::step(Side& source, Side& target, Workspace& workspace) noexcept {
  if (holds_bytes()) {
    if (!target.writable) return Step::target_full;
    return held_ != PoolIndex::none ? write_held(target, workspace)
                                    : write_piped(target, workspace);
  }
  if (fin_passed_ || reading_ended_) return Step::finished;
  if (source.arrived()) return write_arrived(source, target, workspace);
  if (source_at_fin_) return pass_fin(source, target);
  if (!source.readable || source.receiving) return Step::source_empty;
  // Nothing is read that could not be passed on at once: the kernel's buffers are the better place
  // to wait, and the sender feels the backpressure.
  if (!target.writable) return Step::target_full;
  switch (next_engine(workspace)) {
    case Engine::splice: return read_by_splice(source, target, workspace);
    case Engine::zerocopy: return read_by_zerocopy(source, target, workspace);
    case Engine::copy:
    case Engine::ring: break;
  }
  return read_by_copy(source, target, workspace);
}

Engine Direction::next_engine(const Workspace& workspace) const noexcept {
  switch (workspace.options().engine) {
    case EnginePolicy::copy: return Engine::copy;
    case EnginePolicy::splice: return splice_refused_ ? Engine::copy : Engine::splice;
    case EnginePolicy::zerocopy:
    case EnginePolicy::adaptive:
    case EnginePolicy::uring: break;
  }
  return engine_;
}

// Hysteresis: one large read is enough to begin splicing, for a stream that starts large goes on
// large; several small chunks in a row end it, for a pipe costs two system calls a chunk.
void Direction::note_chunk(std::size_t bytes, Workspace& workspace) noexcept {
  switch (workspace.options().engine) {
    case EnginePolicy::copy:
    case EnginePolicy::splice: return;
    case EnginePolicy::zerocopy: note_send(bytes, workspace); return;
    case EnginePolicy::adaptive:
    case EnginePolicy::uring: break;
  }
  if (splice_refused_) return;
  if (engine_ == Engine::copy) {
    if (bytes < base::splice_from_bytes) return;
    engine_ = Engine::splice;
    small_chunks_ = 0;
    workspace.counters().switched(Switch::large_reads);
  } else if (bytes >= base::copy_below_bytes) {
    small_chunks_ = 0;
  } else if (++small_chunks_ >= base::copy_after_small_chunks) {
    engine_ = Engine::copy;
    workspace.counters().switched(Switch::small_chunks);
  }
}

PipeSize Direction::wanted_pipe() const noexcept {
  return full_pipes_ >= base::grow_after_full_pipes ? PipeSize::large : PipeSize::usual;
}

// By the usual size whatever pipe it was: who fills that one has use for a larger one. A stream
// ends as it began, by several in a row, so that the odd small read does not cost it its pipe.
void Direction::note_fill(std::size_t bytes, const Workspace& workspace) noexcept {
  constexpr std::uint8_t most = 2 * base::grow_after_full_pipes;
  if (bytes >= workspace.options().pipe_bytes / base::full_pipe_share) {
    if (full_pipes_ < most) ++full_pipes_;
  } else if (full_pipes_ > 0) {
    --full_pipes_;
  }
}

Direction::Step Direction::read_by_splice(Side& source, Side& target,
                                          Workspace& workspace) noexcept {
  PENSTOCK_ASSERT(pipe_ == PoolIndex::none);
  os::Pipe* pipe = workspace.pipes().lease(wanted_pipe(), workspace.now);
  if (pipe == nullptr) return read_without_pipe(source, target, workspace);
  const IoResult result = os::splice_in(source.socket, *pipe, pipe->capacity);
  if (result.status == IoStatus::moved) {
    pipe_ = workspace.pipes().index_of(*pipe);
    piped_ = static_cast<std::uint32_t>(result.bytes);
    note_fill(result.bytes, workspace);
    note_chunk(result.bytes, workspace);
    if (result.bytes < pipe->capacity) note_short_splice(source);
    return Step::moved;
  }
  workspace.pipes().give_back(pipe);
  // The pipe was empty, so "would block" cannot mean a full one; yet both it and "end" also stand
  // for an urgent mark, at which splice stops for ever. One recv() tells: it gives the bytes behind
  // the mark, or FIN, or EAGAIN.
  if (result.status != IoStatus::failed) return read_by_copy(source, target, workspace);
  if (refuses_splice(result.error)) {
    give_up_splice(workspace);
    return read_by_copy(source, target, workspace);
  }
  source.fail(result.error);
  return source_ended(source);
}

// The socket is empty, or the slots are full, or a mark lies ahead: the bytes do not tell. A count
// of what is unread does, by one cheap call, where the next splice and the recv() behind it would
// both find nothing; what comes after it is a new edge.
void Direction::note_short_splice(Side& source) noexcept {
  if (short_read_may_be_last(source) && os::unread_bytes(source.socket) == 0)
    source.readable = false;
}

Direction::Step Direction::read_by_copy(Side& source, Side& target, Workspace& workspace) noexcept {
  // What is read might have to be held: be sure of the place first.
  if (!workspace.buffers().available()) return Step::no_buffer;
  const auto scratch = workspace.scratch();
  const IoResult result = os::receive(source.socket, scratch);
  if (result.status != IoStatus::moved) return nothing_read(source, result);
  note_read(source, result.bytes, scratch.size(), workspace);
  return write_fresh(target, workspace, scratch.first(result.bytes));
}

Direction::Step Direction::nothing_read(Side& source, const IoResult& result) noexcept {
  if (result.status == IoStatus::would_block) {
    source.readable = source.urgent = false;
    return Step::source_empty;
  }
  if (result.status == IoStatus::failed) source.fail(result.error);
  return source_ended(source);
}

void Direction::note_read(Side& source, std::size_t bytes, std::size_t room,
                          Workspace& workspace) noexcept {
  // Saves the second read of every small message.
  if (bytes < room && short_read_may_be_last(source)) source.readable = false;
  note_chunk(bytes, workspace);
}

// A socket that failed also reads as ended once its error was fetched by another call. Only the end
// of a healthy one is FIN.
Direction::Step Direction::source_ended(Side& source) noexcept {
  source.readable = false;
  if (source.failed) {
    reading_ended_ = true;
    return Step::source_failed;
  }
  source_at_fin_ = true;
  return Step::moved;
}

// Bytes that stand in memory that the next read uses again: what does not go out is held.
Direction::Step Direction::write_fresh(Side& target, Workspace& workspace,
                                       std::span<const std::byte> fresh) noexcept {
  const IoResult result = os::send(target.socket, fresh);
  if (result.status == IoStatus::failed) {
    lost_bytes_ = true;
    target.fail(result.error);
    return Step::target_failed;
  }
  note_copied(result.bytes, workspace);
  if (result.status == IoStatus::would_block) target.writable = false;
  if (result.bytes < fresh.size()) hold(fresh.subspan(result.bytes), workspace);
  return Step::moved;
}

void Direction::hold(std::span<const std::byte> bytes, Workspace& workspace) noexcept {
  HeldBuffer* const buffer = workspace.buffers().take();
  buffer->hold(bytes);
  held_ = workspace.buffers().index_of(*buffer);
}

void Direction::note_copied(std::size_t bytes, Workspace& workspace) noexcept {
  copied_ += bytes;
  by_ring_ = workspace.ring != nullptr;
  workspace.counters().moved(by_ring_ ? Engine::ring : Engine::copy, bytes);
}

Direction::Step Direction::write_held(Side& target, Workspace& workspace) noexcept {
  const IoResult result = send_held(target, workspace);
  if (result.status == IoStatus::would_block) {
    target.writable = false;
    return Step::target_full;
  }
  if (result.status == IoStatus::failed) {
    target.fail(result.error);
    return Step::target_failed;
  }
  held(workspace).take(result.bytes);
  if (held(workspace).empty()) let_go_of_held(workspace);
  return Step::moved;
}

Direction::Step Direction::write_piped(Side& target, Workspace& workspace) noexcept {
  if (splice_refused_) return copy_piped(workspace);
  const IoResult result = os::splice_out(pipe(workspace), target.socket, piped_);
  if (result.status == IoStatus::would_block) {
    target.writable = false;
    return Step::target_full;
  }
  // A pipe that holds bytes, and whose write end is ours, does not end: who says so does not do the
  // call at all.
  if (result.status == IoStatus::end || refuses_splice(result.error)) {
    give_up_splice(workspace);
    return copy_piped(workspace);
  }
  if (result.status == IoStatus::failed) {
    target.fail(result.error);
    return Step::target_failed;
  }
  PENSTOCK_ASSERT(result.bytes <= piped_);
  spliced_ += result.bytes;
  workspace.counters().moved(Engine::splice, result.bytes);
  drained(result.bytes, workspace);
  return Step::moved;
}

// What the pipe holds goes on by a held buffer, one after another.
Direction::Step Direction::copy_piped(Workspace& workspace) noexcept {
  if (!workspace.buffers().available()) return Step::no_buffer;
  const auto scratch = workspace.scratch();
  const IoResult result = os::read_pipe(pipe(workspace), scratch);
  PENSTOCK_ASSERT(result.status == IoStatus::moved && result.bytes <= piped_);
  hold(scratch.first(result.bytes), workspace);
  drained(result.bytes, workspace);
  return Step::moved;
}

void Direction::drained(std::size_t bytes, Workspace& workspace) noexcept {
  piped_ -= static_cast<std::uint32_t>(bytes);
  if (piped_ != 0) return;
  workspace.pipes().give_back(&pipe(workspace));
  pipe_ = PoolIndex::none;
}

void Direction::give_up_splice(Workspace& workspace) noexcept {
  splice_refused_ = true;
  engine_ = Engine::copy;
  workspace.counters().fell_back(Fallback::refused);
  workspace.counters().switched(Switch::refused);
}

Direction::Step Direction::pass_fin(Side& source, Side& target) noexcept {
  PENSTOCK_ASSERT(!holds_bytes());
  // Where the target's own FIN was passed on before, both sockets are closed next, and close()
  // sends the FIN: one system call less.
  if (!target.passed_on) {
    if (const auto error = os::finish_sending(target.socket)) {
      target.fail(error.value());
      return Step::target_failed;
    }
  }
  source.passed_on = true;
  fin_passed_ = true;
  return Step::finished;
}

void Direction::discard(Side& source, Side& target, Workspace& workspace) noexcept {
  lost_bytes_ = lost_bytes_ || holds_bytes() || source.arrived();
  if (source.arrived()) workspace.ring->give_back(source.arrived_buffer);
  source.arrived_bytes = 0;
  reading_ended_ = true;
  piped_ = 0;
  if (pipe_ != PoolIndex::none) workspace.pipes().discard(&pipe(workspace));
  if (held_ != PoolIndex::none && (flight_ == nullptr || !flight_->has(held(workspace))))
    workspace.buffers().give_back(&held(workspace));
  pipe_ = held_ = PoolIndex::none;
  if (flight_ == nullptr) return;
  if (target.socket >= 0) take_notices(target, workspace);
  flight_->abandon(workspace.buffers());
}

}  // namespace penstock::relay

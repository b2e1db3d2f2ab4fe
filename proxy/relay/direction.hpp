#pragma once
// One direction of a connection: bytes from a source socket to a target socket. It knows no
// "client" and no "upstream"; a connection is two directions, crossed.
//
//   holds bytes   source        | what a step does
//   ------------- ------------- + -------------------------------------------------------------
//   yes           any           | write what is held; read nothing before it is out
//   no            open          | read, by the engine of the moment, and write at once
//   no            at FIN        | pass FIN on: finished
//   no            reading ended | nothing: finished without a FIN (the session resets the target)
//
// Owner    a session. Thread: the forwarder's own.
// Limits   run() begins no step beyond 7/8 of base::direction_budget_bytes; one pipe or one held
//          buffer at most, and behind it the buffers from which the kernel still sends
//          (relay/zerocopy_flight.hpp).
// Files    direction.cpp: the steps, copy and splice; direction_zerocopy.cpp; direction_ring.cpp.
// Errors   a failed socket is noted in its Side; the session decides about the connection.
// Source   docs/RELAY.md; splice(2), tcp(7), and the kernel facts in os/pipe.hpp.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/enum_names.hpp"
#include "os/pipe.hpp"
#include "os/socket.hpp"
#include "relay/pool_index.hpp"
#include "relay/side.hpp"
#include "relay/workspace.hpp"

namespace penstock::relay {

// How a run ended, and who acts next.
enum class Outcome : std::uint8_t {
  source_empty,   // wait until the source is readable
  target_full,    // wait until the target is writable
  hungry,         // the budget is used up: run again after the others
  no_buffer,      // the forwarder's held buffers are all in use: run again when one is free
  finished,       // FIN was passed on, or reading ended and nothing is held
  source_failed,  // the source's Side says why; what was read before is out or held
  target_failed,  // the target's Side says why
};

inline constexpr base::EnumNames<Outcome, 7> outcome_names{{"source empty", "target full", "hungry",
                                                            "no buffer", "finished",
                                                            "source failed", "target failed"}};
static_assert(outcome_names[Outcome::target_failed] == "target failed");

class Direction {
 public:
  Direction() noexcept = default;
  Direction(const Direction&) = delete;
  Direction& operator=(const Direction&) = delete;

  // Moves what can be moved now.
  struct Run {
    Outcome outcome;
    std::size_t bytes;     // that the target took
    std::uint32_t writes;  // in so many calls
  };
  Run run(Side& source, Side& target, Workspace& workspace) noexcept;

  // From now on nothing is read; what is held may still go out. For aborts.
  void stop_reading() noexcept { reading_ended_ = true; }
  // The target's error queue may have notices of sends without a copy.
  bool has_notices() const noexcept { return flight_ != nullptr; }
  void take_notices(Side& target, Workspace& workspace) noexcept;
  // Closes the pipe with what it holds and gives the buffers back; those from which the kernel
  // still sends give it their pages. To be called before the target is closed.
  void discard(Side& source, Side& target, Workspace& workspace) noexcept;
  // The last call. REQUIRES: discard() was called, or it never held anything.
  void end(Workspace& workspace) noexcept;

  bool holds_bytes() const noexcept { return piped_ != 0 || held_ != PoolIndex::none; }
  bool finished() const noexcept { return fin_passed_; }
  // The adaptive policy has found large reads here.
  bool splices() const noexcept { return engine_ == Engine::splice; }
  // Nothing is held and nothing will be read any more.
  bool dry() const noexcept { return !holds_bytes() && (reading_ended_ || fin_passed_); }

  // Bytes that the target took, by engine, since the beginning.
  std::uint64_t bytes_by(Engine engine) const noexcept {
    switch (engine) {
      case Engine::copy: return by_ring_ ? 0 : copied_;
      case Engine::splice: return spliced_;
      case Engine::zerocopy: return flight_ == nullptr ? 0 : flight_->bytes();
      case Engine::ring: return by_ring_ ? copied_ : 0;
    }
    return 0;
  }
  std::uint64_t bytes() const noexcept { return copied_ + spliced_ + bytes_by(Engine::zerocopy); }
  // Bytes that were read and then dropped, because the target failed or an abort ran out of time.
  bool lost_bytes() const noexcept { return lost_bytes_; }

 private:
  enum class Step : std::uint8_t {
    moved,
    source_empty,
    target_full,
    no_buffer,
    finished,
    source_failed,
    target_failed
  };
  Step step(Side& source, Side& target, Workspace& workspace) noexcept;
  Step write_held(Side& target, Workspace& workspace) noexcept;
  Step write_piped(Side& target, Workspace& workspace) noexcept;
  Step copy_piped(Workspace& workspace) noexcept;
  void drained(std::size_t bytes, Workspace& workspace) noexcept;
  void hold(std::span<const std::byte> bytes, Workspace& workspace) noexcept;
  // REQUIRES: there is one.
  os::Pipe& pipe(Workspace& workspace) const noexcept { return workspace.pipes().at(pipe_); }
  HeldBuffer& held(Workspace& workspace) const noexcept { return workspace.buffers().at(held_); }
  PipeSize wanted_pipe() const noexcept;
  void note_fill(std::size_t bytes, const Workspace& workspace) noexcept;
  void give_up_splice(Workspace& workspace) noexcept;
  Step pass_fin(Side& source, Side& target) noexcept;
  Step read_by_copy(Side& source, Side& target, Workspace& workspace) noexcept;
  Step read_by_splice(Side& source, Side& target, Workspace& workspace) noexcept;
  Step write_fresh(Side& target, Workspace& workspace, std::span<const std::byte> fresh) noexcept;
  Step nothing_read(Side& source, const os::IoResult& result) noexcept;
  void note_read(Side& source, std::size_t bytes, std::size_t room, Workspace& workspace) noexcept;
  void note_short_splice(Side& source) noexcept;
  void note_copied(std::size_t bytes, Workspace& workspace) noexcept;
  Step source_ended(Side& source) noexcept;
  Engine next_engine(const Workspace& workspace) const noexcept;
  void note_chunk(std::size_t bytes, Workspace& workspace) noexcept;

  // direction_zerocopy.cpp
  Step read_without_pipe(Side& source, Side& target, Workspace& workspace) noexcept;
  Step read_by_zerocopy(Side& source, Side& target, Workspace& workspace) noexcept;
  bool prepare_zerocopy(Side& target, Workspace& workspace) noexcept;
  void give_up_zerocopy(Workspace& workspace) noexcept;
  os::IoResult send_held(Side& target, Workspace& workspace) noexcept;
  void let_go_of_held(Workspace& workspace) noexcept;
  void note_send(std::size_t bytes, Workspace& workspace) noexcept;

  // direction_ring.cpp
  void await_source(Side& source, Workspace& workspace) noexcept;
  Step write_arrived(Side& source, Side& target, Workspace& workspace) noexcept;

  ZerocopyFlight* flight_ = nullptr;  // from the first send without a copy to the end
  std::uint64_t copied_ = 0;
  std::uint64_t spliced_ = 0;
  std::uint32_t piped_ = 0;           // bytes in the pipe
  PoolIndex pipe_ = PoolIndex::none;  // leased exactly while it holds bytes
  PoolIndex held_ = PoolIndex::none;  // likewise
  std::uint8_t small_chunks_ = 0;
  std::uint8_t full_pipes_ = 0;   // reads that filled a pipe, less those that did not
  Engine engine_ = Engine::copy;  // of the adaptive policy
  bool splice_refused_ : 1 = false;
  bool zerocopy_refused_ : 1 = false;
  bool by_ring_ : 1 = false;  // what copied_ counts
  bool source_at_fin_ : 1 = false;
  bool fin_passed_ : 1 = false;
  bool reading_ended_ : 1 = false;
  bool lost_bytes_ : 1 = false;
};

}  // namespace penstock::relay

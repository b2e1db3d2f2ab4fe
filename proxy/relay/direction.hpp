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
// Owner    a session. Thread   the forwarder's own.
// Limits   base::direction_budget_bytes per run(); one pipe or one held buffer at most.
// Errors   a failed socket is noted in its Side; the session decides what becomes of the
// connection. Source   docs/RELAY.md; splice(2), tcp(7), and the kernel facts in os/pipe.hpp.

#include <cstddef>
#include <cstdint>

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
    std::size_t bytes;  // that the target took
  };
  Run run(Side& source, Side& target, Workspace& workspace) noexcept;

  // From now on nothing is read; what is held may still go out. For aborts.
  void stop_reading() noexcept { reading_ended_ = true; }
  // Closes the pipe with what it holds and gives the buffer back. To be called before destruction
  // of a direction that holds bytes.
  void discard(Workspace& workspace) noexcept;

  bool holds_bytes() const noexcept { return piped_ != 0 || held_ != nullptr; }
  bool finished() const noexcept { return fin_passed_; }
  // The adaptive policy has found large reads here.
  bool splices() const noexcept { return engine_ == Engine::splice; }
  // Nothing is held and nothing will be read any more.
  bool dry() const noexcept { return !holds_bytes() && (reading_ended_ || fin_passed_); }

  // Bytes that the target took, by engine, since the beginning.
  std::uint64_t bytes_by(Engine engine) const noexcept {
    return engine == Engine::copy ? copied_ : spliced_;
  }
  std::uint64_t bytes() const noexcept { return copied_ + spliced_; }
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
  void give_up_splice(Workspace& workspace) noexcept;
  Step pass_fin(Side& source, Side& target) noexcept;
  Step read_by_copy(Side& source, Side& target, Workspace& workspace) noexcept;
  Step read_by_splice(Side& source, Side& target, Workspace& workspace) noexcept;
  Step write_scratch(Side& target, Workspace& workspace, std::size_t bytes) noexcept;
  Step source_ended(Side& source) noexcept;
  bool wants_splice(const Workspace& workspace) const noexcept;
  void note_chunk(std::size_t bytes, Workspace& workspace) noexcept;

  os::Pipe* pipe_ = nullptr;    // leased exactly while it holds bytes
  HeldBuffer* held_ = nullptr;  // likewise
  std::uint64_t copied_ = 0;
  std::uint64_t spliced_ = 0;
  std::uint32_t piped_ = 0;  // bytes in the pipe
  std::uint8_t small_chunks_ = 0;
  Engine engine_ = Engine::copy;  // of the adaptive policy
  bool splice_refused_ : 1 = false;
  bool source_at_fin_ : 1 = false;
  bool fin_passed_ : 1 = false;
  bool reading_ended_ : 1 = false;
  bool lost_bytes_ : 1 = false;
};

}  // namespace penstock::relay

#pragma once
// What must be true: of every byte that goes out, of who sleeps, of every record, at the end. Ends
// the process on a violation. It decides nothing: what happened, the run tells.
//
// Owner    the World. Thread: the forwarder's.

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/time.hpp"
#include "session/record.hpp"
#include "simulation/plan.hpp"
#include "simulation/rig.hpp"
#include "simulation/run.hpp"
#include "simulation/tape.hpp"

namespace penstock::simulation {

class Oracle {
 public:
  Oracle(const Tape& tape, Run& run, Rig& rig) noexcept : tape_{tape}, run_{run}, rig_{rig} {}
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  // --- oracle.cpp: bytes, and how they end ---
  void registered(const std::shared_ptr<Socket>& socket, std::uint64_t token);
  void sends(const Socket& target, std::span<const std::byte> bytes) const;
  void unchanged(const Socket& target, std::span<const std::byte> bytes,
                 std::uint64_t offset) const;
  void splices(const Socket& target, int connection, unsigned side, std::uint64_t offset) const;
  void holds(const Socket& source) const;
  void finishes(const Socket& target) const;
  void resets(const Socket& target);
  void call_failed(const Socket* socket);

  // --- oracle_ready.cpp: what is kept ready ---
  void handed_out(const Socket& socket, Connection& connection) const;
  void check_kept() const;
  void check_attempts() const;

  // --- oracle_time.cpp: who may sleep, and what may be asked when ---
  void sleeps() const;
  void waits();
  void asked(std::size_t endpoint, int error);
  void attempted() noexcept { ++attempts_; }

  // --- oracle_records.cpp: records, and the end ---
  void collect_records();
  // The loop sleeps for ever.
  void check_rest();
  void check_end() const;
  const Tally& tally() const noexcept { return tally_; }

 private:
  void check_places() const;
  void check_pace(std::size_t endpoint) const;
  void check_connect(const Socket& target);
  void check_record(const session::Record& record);
  bool is_whole(const Connection& connection) const;

  const Tape& tape_;
  Run& run_;
  Rig& rig_;
  // Of connect(), by endpoint.
  struct Asked {
    unsigned times = 0;
    base::Instant last{};  // the loop's time
    bool was_full = false;
  };
  std::array<Asked, Plan::endpoints> asked_{};
  std::uint64_t attempts_ = 0;
  std::uint64_t attempts_recorded_ = 0;
  unsigned late_waits_ = 0;  // in a row, while a deadline has passed
  Tally tally_;
};

}  // namespace penstock::simulation

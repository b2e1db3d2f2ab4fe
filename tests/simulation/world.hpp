#pragma once
// One real forwarder in the simulated kernel, with clients and endpoints around it: the director
// decides what happens when, the oracle what must be true, and the rig is what both are about.
//
// First everything is random: bytes in pieces of any size, urgent marks, readers that stop, resets,
// calls that fail. Then the faults are healed, and everything must arrive and the loop must sleep
// (the liveness check of TigerBeetle's simulator: safety first, then convergence).
//
// Thread   the forwarder's.

#include "simulation/director.hpp"
#include "simulation/oracle.hpp"
#include "simulation/outside.hpp"
#include "simulation/plan.hpp"
#include "simulation/random.hpp"
#include "simulation/rig.hpp"
#include "simulation/run.hpp"
#include "simulation/tape.hpp"

namespace penstock::simulation {

class World final : public Outside {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The whole life of the forwarder. Ends the process on a violation.
  void run(Tally& tally);

  // --- the director's ---
  bool act() override { return director_.act(); }
  void act_now_and_then() override { director_.act_now_and_then(); }
  bool healed() const noexcept override { return run_.healed; }
  base::Instant next_ping() const noexcept override { return director_.next_ping(); }
  void ping() override { director_.ping(); }
  void fill(std::span<std::byte> into, int connection, unsigned side,
            std::uint64_t offset) override {
    tape_.read(into, connection, side, offset);
  }

  // --- the oracle's ---
  void collect_records() override { oracle_.collect_records(); }
  void registered(const std::shared_ptr<Socket>& socket, std::uint64_t token) override {
    oracle_.registered(socket, token);
  }
  void sends(const Socket& target, std::span<const std::byte> bytes) override {
    oracle_.sends(target, bytes);
  }
  void finishes(const Socket& target) override { oracle_.finishes(target); }
  void resets(const Socket& target) override { oracle_.resets(target); }
  void call_failed(const Socket* socket) override { oracle_.call_failed(socket); }
  void sleeps() override { oracle_.sleeps(); }
  void attempted() noexcept override { oracle_.attempted(); }
  void unchanged(const Socket& target, std::span<const std::byte> bytes,
                 std::uint64_t offset) override {
    oracle_.unchanged(target, bytes, offset);
  }
  void splices(const Socket& target, int connection, unsigned side, std::uint64_t offset) override {
    oracle_.splices(target, connection, side, offset);
  }
  void holds(const Socket& source) override { oracle_.holds(source); }

  // --- of both ---
  void at_rest() override;
  void waits() override;
  void dialled(const std::shared_ptr<Socket>& socket, const os::SocketAddress& address) override;
  int error_at_once(const os::SocketAddress& address) override;

 private:
  Random random_;
  const Tape tape_;
  Run run_;
  Rig rig_;
  Director director_;
  Oracle oracle_;
};

}  // namespace penstock::simulation

#pragma once
// What happens when: from one stream of random numbers the director opens connections, lets peers
// send, read and break off, lets time pass, begins a drain; and at last heals every fault.
//
// Owner    the World. Thread: the forwarder's.

#include <cstdint>

#include "base/time.hpp"
#include "simulation/random.hpp"
#include "simulation/rig.hpp"
#include "simulation/run.hpp"

namespace penstock::simulation {

class Director {
 public:
  Director(Random& random, Run& run, Rig& rig) noexcept;
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;

  // --- director.cpp: what comes next ---
  bool act();  // one thing; false: nobody has anything to do
  void act_now_and_then();
  base::Instant next_ping() const noexcept { return next_ping_; }
  void ping();
  // The end: the forwarder is to stop, and nobody does anything any more.
  void stop();
  // What connect() to that endpoint meets at once; 0: it is under way.
  int error_at_once(std::size_t endpoint);

 private:
  void open_connection();
  void jump_or_drain();
  void stand_still();
  Connection& pick_live();
  void heal();
  bool settle();
  bool queues_are_full();

  // director_peers.cpp: what a peer does
  bool act_on(Connection& connection, unsigned side);
  bool decide_connect(Connection& connection, Socket& socket);
  bool deliver(Socket& socket, const Peer& peer);
  bool take(Socket& socket, const Peer& peer);
  bool disturb(Connection& connection, Socket& socket);

  // director_ready.cpp: what becomes of sockets that are kept ready
  bool act_on_ready();
  bool end_held(Socket& socket);
  void drain_or_not();

  Random& random_;
  Run& run_;
  Rig& rig_;
  std::uint64_t turns_left_;
  std::size_t settled_ = 0;  // where settle() goes on
  base::Instant full_until_{};
  base::Instant next_full_{};
  base::Instant next_ping_;
  unsigned last_pings_ = 0;
};

}  // namespace penstock::simulation

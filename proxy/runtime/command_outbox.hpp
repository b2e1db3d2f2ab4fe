#pragma once
// What control has to tell the forwarders. Nothing is lost and nobody waits: what finds the ring of
// a forwarder full is kept in order and sent before anything that comes later.
//
// Owner    the Server; the forwarders outlive it. Thread: control's.
// Limit    none of its own: what waits is one command for each order that control gives while a
//          forwarder stands still, and those are a drain, a cut and the endpoints that went away.
// Errors   std::bad_alloc where what waits cannot be kept.

#include <cstdint>
#include <deque>
#include <vector>

#include "base/owner_thread.hpp"
#include "runtime/command.hpp"

namespace penstock::runtime {

class Forwarder;

class CommandOutbox {
 public:
  // Before the first command.
  void add(Forwarder& forwarder) { lines_.push_back({&forwarder, {}}); }

  // To every forwarder.
  void send(const Command& command);
  // Sends what waits, then a ping where nothing does any more. It is not kept: a forwarder whose
  // ring is full does not answer, and that is what a ping finds out. An answer to it says that all
  // that was sent before has been obeyed.
  void ping(std::uint64_t number);

 private:
  struct Line {
    Forwarder* forwarder;
    std::deque<Command> waiting;
  };
  // True where nothing waits any more.
  static bool send_waiting(Line& line);

  std::vector<Line> lines_;
  base::OwnerThread control_;
};

}  // namespace penstock::runtime

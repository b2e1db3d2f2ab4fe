#pragma once
// What a session may use: its forwarder's things, handed to every call.
//
// Owner    the forwarder. Thread: its own.

#include <cstdint>

#include "base/spsc_ring.hpp"
#include "base/time.hpp"
#include "base/timer_wheel.hpp"
#include "os/poller.hpp"
#include "relay/workspace.hpp"
#include "session/counters.hpp"
#include "session/ready_sockets.hpp"
#include "session/record.hpp"
#include "session/stall.hpp"

namespace penstock::session {

// Which connections the access log wants. Set before the threads start.
struct LogSwitches {
  bool open = false;
  bool close = true;
  double sample = 1.0;  // share of connections, chosen by their id

  // The same answer for every event of a connection.
  bool sampled(std::uint64_t id) const noexcept;
};

struct Context {
  os::Poller& poller;
  base::TimerWheel& timers;
  relay::Workspace& relay;
  Counters& counters;
  base::SpscRing<Record>& records;
  base::SpscRing<Stall>& stalls;
  FlightRecorders& recorders;
  const LogSwitches& log;
  std::uint16_t forwarder = 0;
  std::uint16_t node = 0;
  base::Instant now{};  // of this wake-up

  ReadySockets ready{};
  base::Instant drain_deadline = base::never;  // while a drain runs: when what is left is reset
};

}  // namespace penstock::session

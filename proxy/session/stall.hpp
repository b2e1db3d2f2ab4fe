#pragma once
// What the forwarder tells control of a connection that stalled, as plain values: bytes were
// waiting, there was room ahead, and nothing moved. It points only at what outlives every session.

#include "base/time.hpp"
#include "session/flight_recorder.hpp"

namespace penstock::upstream {
struct LiveRecord;
}

namespace penstock::session {

struct Stall {
  std::uint64_t id = 0;  // of the connection
  std::uint32_t listener = 0;
  std::uint16_t forwarder = 0;
  std::uint8_t direction = 0;  // to_upstream, to_client
  bool holds_bytes = false;    // taken from the source already; else they wait there
  const upstream::LiveRecord* endpoint = nullptr;
  base::Instant at{};
  base::Duration quiet{0};  // since the direction moved last
  FlightRecorder::Events events{};
  std::size_t event_count = 0;
};

}  // namespace penstock::session

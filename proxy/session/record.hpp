#pragma once
// What the access log says of a connection, as plain values: filled in by the forwarder, sent by a
// ring, turned into text by control. It owns nothing and points only at what outlives every
// session.

#include <array>
#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "os/address.hpp"
#include "relay/counters.hpp"
#include "session/close_reason.hpp"

namespace penstock::upstream {
struct LiveRecord;
}

namespace penstock::session {

struct Record {
  enum class Event : std::uint8_t { open, close };

  static constexpr std::size_t tried_max = 8;

  // Numbers that are not known stay at `unknown` and are left out of the line.
  static constexpr base::Duration unknown = base::Duration::min();

  Event event = Event::close;
  CloseReason reason = CloseReason::internal;
  bool truncated_to_upstream = false;  // bytes were taken from the client and not delivered
  bool truncated_to_client = false;
  bool is_static = false;  // served by a `files` listener
  std::uint8_t attempts = 0;
  std::uint16_t forwarder = 0;
  std::uint16_t node = 0;
  std::uint32_t listener = 0;  // index
  std::uint64_t id = 0;
  std::int64_t wall_nanoseconds = 0;  // of the event
  os::IpEndpoint client;
  os::IpEndpoint local;
  const upstream::LiveRecord* endpoint = nullptr;  // the last one that was tried
  std::string_view connect_error;  // upstream::ConnectFailure of the last failure; empty = none
  // The first ones that were, where it was not one at the first attempt; those that left meanwhile
  // are missing.
  std::array<const upstream::LiveRecord*, tried_max> tried{};
  // By direction (to_upstream, to_client) and engine (relay::Engine).
  std::array<std::array<std::uint64_t, relay::engine_names.size()>, 2> bytes{};
  std::uint64_t sent_by_sendfile = 0;  // of a static connection, part of what went to the client
  std::uint64_t unacked_at_close = 0;
  std::uint64_t retransmits = 0;  // on both sockets
  base::Duration connect = unknown;
  base::Duration first_byte = unknown;  // from accept to the first byte of the upstream
  base::Duration duration = unknown;
  base::Duration client_rtt = unknown;
  base::Duration upstream_rtt = unknown;
};

}  // namespace penstock::session

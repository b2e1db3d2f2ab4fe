#pragma once
// One socket as the relay sees it: what the poller said of it and what reads and writes found
// since.
//
// A connection has two sides; each is the source of one direction and the target of the other. The
// flags are the memory that edge-triggered polling needs: they are set by events and cleared by the
// call that found the socket empty or full.
//
// On a ring the loop receives for us, when asked. While it does, nobody else reads this socket, or
// bytes would overtake each other.

#include <cstdint>

#include "os/poller.hpp"
#include "relay/zerocopy_paths.hpp"

namespace penstock::relay {

struct Side {
  int socket = -1;
  std::int16_t error = 0;  // the errno of the first failure
  ZerocopyPath path = 0;   // towards its host
  bool readable : 1 = false;
  bool writable : 1 = false;
  bool urgent : 1 = false;     // a mark lies ahead, so a short read says nothing
  bool finishing : 1 = false;  // FIN has come, or will be found behind the queued bytes
  bool failed : 1 = false;     // reset, timed out, or closed for writing: no FIN of it counts
  bool passed_on : 1 = false;  // all of its bytes, and its FIN
  // A short read of a TCP socket means that it was empty, and what comes later is a new edge. A
  // unix socket also ends a read at a message with descriptors attached.
  bool short_read_is_empty : 1 = true;
  bool receiving : 1 = false;        // the ring was asked, and has not answered
  std::uint16_t arrived_buffer = 0;  // of the ring, where arrived_bytes > 0
  std::uint16_t arrived_bytes = 0;

  bool arrived() const noexcept { return arrived_bytes > 0; }

  void note(const os::Event& event) noexcept {
    readable = readable || event.ready.readable;
    writable = writable || event.ready.writable;
    urgent = urgent || event.ready.urgent;
    finishing = finishing || event.ready.peer_finished;
    if (!event.receive_ended) return;
    receiving = false;
    if (event.error != 0) fail(event.error);
    arrived_buffer = event.buffer;
    arrived_bytes = event.bytes;
  }
  void fail(int error_number) noexcept {
    if (failed) return;
    failed = true;
    error = static_cast<std::int16_t>(error_number);
  }
};

}  // namespace penstock::relay

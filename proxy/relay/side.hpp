#pragma once
// One socket as the relay sees it: what the poller said of it and what reads and writes found
// since.
//
// A connection has two sides; each is the source of one direction and the target of the other. The
// flags are the memory that edge-triggered polling needs: they are set by events and cleared by the
// call that found the socket empty or full.

#include <cstdint>

#include "os/poller.hpp"

namespace penstock::relay {

struct Side {
  int socket = -1;
  std::int16_t error = 0;  // the errno of the first failure
  bool readable : 1 = false;
  bool writable : 1 = false;
  bool urgent : 1 = false;     // a mark lies ahead, so a short read says nothing
  bool finishing : 1 = false;  // FIN has come, or will be found behind the queued bytes
  bool failed : 1 = false;     // reset, timed out, or closed for writing: no FIN of it counts
  bool passed_on : 1 = false;  // all of its bytes, and its FIN
  // A short read of a TCP socket means that it was empty, and what comes later is a new edge. A
  // unix socket also ends a read at a message with descriptors attached.
  bool short_read_is_empty : 1 = true;

  void note(os::Readiness ready) noexcept {
    readable = readable || ready.readable;
    writable = writable || ready.writable;
    urgent = urgent || ready.urgent;
    finishing = finishing || ready.peer_finished;
  }
  void fail(int error_number) noexcept {
    if (failed) return;
    failed = true;
    error = static_cast<std::int16_t>(error_number);
  }
};

}  // namespace penstock::relay

#pragma once
// Who is outside of the simulated kernel: acts between its calls, and judges what comes out.
//
// Thread   the forwarder's.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/time.hpp"
#include "os/address.hpp"

namespace penstock::simulation {

struct Socket;

// Prints what was violated, the seed and the step, and ends the process.
[[noreturn]] void violated(const char* invariant, int connection, const std::string& what);

class Outside {
 public:
  virtual ~Outside() = default;

  // --- what it does ---
  virtual bool act() = 0;  // one thing; false: nobody has anything to do
  virtual void act_now_and_then() = 0;
  virtual void at_rest() = 0;  // the loop sleeps without a deadline and nobody has anything to do
  virtual bool healed() const noexcept = 0;
  virtual void collect_records() {}
  virtual base::Instant next_ping() const noexcept { return base::never; }
  virtual void ping() {}

  // --- what it is told of ---
  virtual void registered(const std::shared_ptr<Socket>&, std::uint64_t) {}  // its token
  // The bytes of the peer, for who reads them, from an offset on.
  virtual void fill(std::span<std::byte>, int, unsigned, std::uint64_t) {}
  virtual void sends(const Socket&, std::span<const std::byte>) {}
  virtual void finishes(const Socket&) {}
  virtual void resets(const Socket&) {}
  virtual void call_failed(const Socket*) {}
  virtual void sleeps() {}  // the loop found nothing to do
  virtual void waits() {}   // it asks for events
  // What connect() says of it at once; 0 = it is under way.
  virtual int error_at_once(const os::SocketAddress&) { return 0; }
  virtual void attempted() noexcept {}  // a connect that is one
  virtual void dialled(const std::shared_ptr<Socket>&, const os::SocketAddress&) {}  // under way
  virtual void unchanged(const Socket&, std::span<const std::byte>, std::uint64_t) {}
  virtual void splices(const Socket&, int, unsigned, std::uint64_t) {}
  virtual void holds(const Socket&) {}
};

}  // namespace penstock::simulation

#pragma once
// The buffers of one direction from which the kernel sends without a copy, until it says that it no
// longer needs them.
//
//     buffer A: sends 0 1 2   buffer B: sends 3 4   buffer C, still held: send 5 ...
//     a notice for 1 to 3 takes two from A and one from B
//
// Owner    a direction, leased from the Workspace. Thread: the forwarder's own.
// Limit    base::zerocopy_in_flight_max buffers.
// Source   os/zerocopy.hpp.

#include <array>
#include <cstdint>
#include <span>

#include "base/limits.hpp"
#include "os/zerocopy.hpp"
#include "relay/buffer_pool.hpp"

namespace penstock::relay {

class ZerocopyFlight {
 public:
  bool full() const noexcept { return count_ == buffers_.size(); }

  // `bytes` of the buffer went out by a send without a copy.
  // REQUIRES: the same buffer as the last time, or another and !full().
  void sent(HeldBuffer& buffer, std::size_t bytes) noexcept;

  // Notes it, and gives back the buffers from which nothing is sent any more; `held` is the one
  // that still has bytes to send.
  void take(const os::ZerocopyNotice& notice, const HeldBuffer* held, BufferPool& pool) noexcept;
  // The socket goes away, and its notices with it.
  void abandon(BufferPool& pool) noexcept;
  // The kernel sends from it, or did: it stands here until take() or forget().
  bool has(const HeldBuffer& buffer) const noexcept;
  // REQUIRES: nothing of it is under way.
  void forget(const HeldBuffer& buffer) noexcept;

  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::array<HeldBuffer*, base::zerocopy_in_flight_max> buffers_{};  // oldest first
  std::size_t count_ = 0;
  std::uint32_t next_send_ = 0;  // of the socket, modulo 2^32
  std::uint64_t bytes_ = 0;
};

}  // namespace penstock::relay

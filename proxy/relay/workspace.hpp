#pragma once
// What the directions of one forwarder share: the scratch buffer, the pools, the options, and what
// they found out about paths.
//
// Owner    the forwarder. Thread: its own.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>

#include "base/limits.hpp"
#include "base/slab.hpp"
#include "base/time.hpp"
#include "os/poller.hpp"
#include "relay/buffer_pool.hpp"
#include "relay/counters.hpp"
#include "relay/options.hpp"
#include "relay/pipe_pool.hpp"
#include "relay/zerocopy_flight.hpp"
#include "relay/zerocopy_paths.hpp"

namespace penstock::relay {

class Workspace {
 public:
  // Throws std::bad_alloc (start-up only).
  Workspace(const Options& options, std::pmr::memory_resource& memory)
      : options_{options},
        memory_{memory},
        scratch_{static_cast<std::byte*>(memory.allocate(options.buffer_bytes, page))},
        buffers_{options.buffers_max, held_bytes(options), memory, counters_},
        flights_{memory, page},
        pipes_{options, memory, counters_} {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { memory_.deallocate(scratch_, options_.buffer_bytes, page); }

  const Options& options() const noexcept { return options_; }
  // One read's worth of bytes; what a read put there is sent or held before the next read.
  std::span<std::byte> scratch() noexcept { return {scratch_, options_.buffer_bytes}; }
  BufferPool& buffers() noexcept { return buffers_; }
  PipePool& pipes() noexcept { return pipes_; }
  ZerocopyPaths& zerocopy_paths() noexcept { return zerocopy_paths_; }
  // nullptr where too many directions have one, or there is no memory.
  ZerocopyFlight* lease_flight() noexcept;
  void give_back(ZerocopyFlight* flight) noexcept { flights_.destroy(flight); }
  Counters& counters() noexcept { return counters_; }
  const Counters& counters() const noexcept { return counters_; }

  base::Instant now{};         // of this wake-up; set by the forwarder
  os::Poller* ring = nullptr;  // the forwarder's loop, where it is a ring: it receives for us

 private:
  static constexpr std::size_t page = 4096;
  // The rest of what a ring received has to fit as well.
  static std::size_t held_bytes(const Options& options) noexcept {
    const std::size_t from_ring =
        options.engine == EnginePolicy::uring ? base::ring_buffer_bytes : 0;
    return std::max(options.buffer_bytes, from_ring);
  }
  const Options options_;
  std::pmr::memory_resource& memory_;
  std::byte* const scratch_;
  Counters counters_;
  BufferPool buffers_;
  base::Slab<ZerocopyFlight> flights_;
  ZerocopyPaths zerocopy_paths_;
  PipePool pipes_;
};

inline ZerocopyFlight* Workspace::lease_flight() noexcept {
  if (flights_.live() >= base::zerocopy_directions_max) return nullptr;
  try {
    return flights_.create();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace penstock::relay

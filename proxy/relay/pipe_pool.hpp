#pragma once
// Empty pipes kept warm for one forwarder.
//
// Owner    a pipe belongs to the pool while idle, to the caller while leased. Who leases, and when:
//          relay/direction.
// Thread   the forwarder's own; there is no lock here, and none is needed.
// Limit    at most `pipes_max`, and 65,535, leased and idle together; `grown_pipes_max` of them may
//          be large; at most base::pipes_warm_max idle ones are kept. Last in, first out: a flow
//          that does not block uses the pipe of its neighbour, whose pages are still in the cache.
// Errors   lease() may decline; the direction then copies. It is never a reason to end a
//          connection.

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "base/owner_thread.hpp"
#include "base/time.hpp"
#include "os/pipe.hpp"
#include "relay/counters.hpp"
#include "relay/options.hpp"
#include "relay/pool_index.hpp"

namespace penstock::relay {

enum class PipeSize : std::uint8_t {
  usual,
  large,  // for who has filled usual ones again and again; a usual one where there is none
};

class PipePool {
 public:
  PipePool(const Options& options, std::pmr::memory_resource& memory, Counters& counters);
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;
  ~PipePool();

  void adopt() noexcept { owner_.adopt(); }

  // Never blocks. nullptr means "no pipe now"; the reason is counted. After the kernel declined,
  // it is asked again for a pipe, or for a larger one, only a second later: asking costs system
  // calls.
  os::Pipe* lease(PipeSize wanted, base::Instant now) noexcept;

  // REQUIRES: the pipe is empty. Bytes left by one connection must never be found by another.
  void give_back(os::Pipe* pipe) noexcept;

  // A leased one is found by its place.
  PoolIndex index_of(const os::Pipe& pipe) const noexcept {
    return pool_index(&pipe - pipes_.data());
  }
  os::Pipe& at(PoolIndex index) noexcept { return pipes_[place_of(index)]; }

  // For a pipe that holds bytes which nobody will take: it is closed, never pooled.
  void discard(os::Pipe* pipe) noexcept;

  // Closes the large pipes that nobody has needed since the last call: the pages that the kernel
  // counts for them are the user's, who may have other processes. To be called now and then.
  void close_unused_large() noexcept;

 private:
  using Pipes = std::pmr::vector<os::Pipe*>;

  os::Pipe* open(base::Instant now) noexcept;
  void grow(os::Pipe& pipe, base::Instant now) noexcept;
  // Not by the capacity alone: the kernel rounds up what was asked for.
  bool is_large(const os::Pipe& pipe) const noexcept {
    return large_max_ > 0 && pipe.capacity > pipe_bytes_;
  }
  void publish() noexcept;

  const std::size_t pipe_bytes_;
  const std::size_t large_bytes_;
  const std::size_t large_max_;
  Counters& counters_;
  base::OwnerThread owner_;
  std::pmr::vector<os::Pipe> pipes_;  // never resized: leases are pointers into it
  Pipes vacant_;                      // places without a pipe
  Pipes idle_;                        // open and empty
  Pipes idle_large_;                  // likewise
  std::size_t large_ = 0;             // leased and idle
  std::size_t unused_large_ = 0;      // fewest of idle_large_ since close_unused_large()
  base::Instant closed_until_{};      // the kernel declined: no new pipe before
  base::Instant usual_until_{};       // it declined a larger one
  Fallback closed_because_ = Fallback::pool_limit;
};

}  // namespace penstock::relay

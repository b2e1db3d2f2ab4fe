#pragma once
// Empty pipes kept warm for one forwarder.
//
// Owner    a pipe belongs to the pool while idle, to the caller while leased. Who leases, and when:
//          relay/direction.
// Thread   the forwarder's own; there is no lock here, and none is needed.
// Limit    at most `pipes_max`, and 65,535, leased and idle together; at most base::pipes_warm_max idle ones are
//          kept. Last in, first out: a flow that does not block uses the pipe of its neighbour,
//          whose pages are still in the cache.
// Errors   lease() may decline; the direction then copies. It is never a reason to end a
//          connection.

#include <cstddef>
#include <memory_resource>
#include <vector>

#include "base/owner_thread.hpp"
#include "base/time.hpp"
#include "os/pipe.hpp"
#include "relay/counters.hpp"
#include "relay/pool_index.hpp"

namespace penstock::relay {

class PipePool {
 public:
  PipePool(std::size_t pipes_max, std::size_t pipe_bytes, std::pmr::memory_resource& memory,
           Counters& counters);
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;
  ~PipePool();

  void adopt() noexcept { owner_.adopt(); }

  // Never blocks. nullptr means "no pipe now"; the reason is counted. After the kernel declined,
  // new pipes are tried again only a second later: asking costs system calls.
  os::Pipe* lease(base::Instant now) noexcept;

  // REQUIRES: the pipe is empty. Bytes left by one connection must never be found by another.
  void give_back(os::Pipe* pipe) noexcept;

  // A leased one is found by its place.
  PoolIndex index_of(const os::Pipe& pipe) const noexcept {
    return pool_index(&pipe - pipes_.data());
  }
  os::Pipe& at(PoolIndex index) noexcept { return pipes_[place_of(index)]; }

  // For a pipe that holds bytes which nobody will take: it is closed, never pooled.
  void discard(os::Pipe* pipe) noexcept;

 private:
  os::Pipe* open(base::Instant now) noexcept;
  void publish() noexcept;

  const std::size_t pipe_bytes_;
  Counters& counters_;
  base::OwnerThread owner_;
  std::pmr::vector<os::Pipe> pipes_;    // never resized: leases are pointers into it
  std::pmr::vector<os::Pipe*> vacant_;  // places without a pipe
  std::pmr::vector<os::Pipe*> idle_;    // open and empty
  base::Instant closed_until_{};        // the kernel declined: no new pipe before
  Fallback closed_because_ = Fallback::pool_limit;
};

}  // namespace penstock::relay

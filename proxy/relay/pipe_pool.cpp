#include "relay/pipe_pool.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace penstock::relay {

PipePool::PipePool(std::size_t pipes_max, std::size_t pipe_bytes, std::pmr::memory_resource& memory,
                   Counters& counters)
    : pipe_bytes_{pipe_bytes},
      counters_{counters},
      pipes_(std::min(pipes_max, pool_places_max), &memory),
      vacant_{&memory},
      idle_{&memory} {
  // Reserved to the full, so that giving back never allocates.
  vacant_.reserve(pipes_.size());
  idle_.reserve(pipes_.size());
  for (auto pipe = pipes_.rbegin(); pipe != pipes_.rend(); ++pipe) vacant_.push_back(&*pipe);
}

PipePool::~PipePool() {
  PENSTOCK_ASSERT(vacant_.size() + idle_.size() == pipes_.size());
}

os::Pipe* PipePool::lease(base::Instant now) noexcept {
  owner_.check();
  os::Pipe* pipe = nullptr;
  if (!idle_.empty()) {
    pipe = idle_.back();
    idle_.pop_back();
  } else {
    pipe = open(now);
  }
  publish();
  return pipe;
}

os::Pipe* PipePool::open(base::Instant now) noexcept {
  if (vacant_.empty()) {
    counters_.fell_back(Fallback::pool_limit);
    return nullptr;
  }
  if (now < closed_until_) {
    counters_.fell_back(closed_because_);
    return nullptr;
  }
  auto opened = os::open_pipe(pipe_bytes_);
  if (opened && opened->capacity < pipe_bytes_) counters_.pipes_degraded.add();
  if (!opened || opened->capacity < base::pipe_bytes_min) {
    closed_because_ = opened ? Fallback::small_pipe : Fallback::no_descriptor;
    closed_until_ = now + std::chrono::seconds{1};
    counters_.fell_back(closed_because_);
    return nullptr;
  }
  os::Pipe* pipe = vacant_.back();
  vacant_.pop_back();
  *pipe = std::move(*opened);
  return pipe;
}

void PipePool::give_back(os::Pipe* pipe) noexcept {
  owner_.check();
  if (idle_.size() >= base::pipes_warm_max) {
    discard(pipe);
    return;
  }
  idle_.push_back(pipe);
  publish();
}

void PipePool::discard(os::Pipe* pipe) noexcept {
  owner_.check();
  *pipe = os::Pipe{};
  vacant_.push_back(pipe);
  publish();
}

void PipePool::publish() noexcept {
  counters_.pipes_idle.set(idle_.size());
  counters_.pipes_leased.set(pipes_.size() - vacant_.size() - idle_.size());
}

}  // namespace penstock::relay

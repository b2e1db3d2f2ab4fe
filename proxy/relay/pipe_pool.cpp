#include "relay/pipe_pool.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace penstock::relay {

namespace {

constexpr base::Duration pause_after_refusal = std::chrono::seconds{1};

os::Pipe* take_last(std::pmr::vector<os::Pipe*>& pipes) noexcept {
  os::Pipe* const last = pipes.back();
  pipes.pop_back();
  return last;
}

}  // namespace

PipePool::PipePool(const Options& options, std::pmr::memory_resource& memory, Counters& counters)
    : pipe_bytes_{options.pipe_bytes},
      large_bytes_{options.grown_pipe_bytes},
      large_max_{options.grown_pipes_max},
      counters_{counters},
      pipes_(std::min(options.pipes_max, pool_places_max), &memory),
      vacant_{&memory},
      idle_{&memory},
      idle_large_{&memory} {
  // Reserved to the full, so that giving back never allocates.
  vacant_.reserve(pipes_.size());
  idle_.reserve(pipes_.size());
  idle_large_.reserve(large_max_);
  for (auto pipe = pipes_.rbegin(); pipe != pipes_.rend(); ++pipe) vacant_.push_back(&*pipe);
}

PipePool::~PipePool() {
  PENSTOCK_ASSERT(vacant_.size() + idle_.size() + idle_large_.size() == pipes_.size());
}

// A large one serves who wants a usual one only where there is no other, else nobody would ever see
// that it is not needed.
os::Pipe* PipePool::lease(PipeSize wanted, base::Instant now) noexcept {
  owner_.check();
  const bool wants_large = wanted == PipeSize::large;
  const bool has_no_usual = idle_.empty() && (vacant_.empty() || now < closed_until_);
  os::Pipe* pipe = nullptr;
  if (!idle_large_.empty() && (wants_large || has_no_usual)) {
    pipe = take_last(idle_large_);
    unused_large_ = std::min(unused_large_, idle_large_.size());
  } else {
    pipe = idle_.empty() ? open(now) : take_last(idle_);
    if (pipe != nullptr && wants_large) grow(*pipe, now);
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
    closed_until_ = now + pause_after_refusal;
    counters_.fell_back(closed_because_);
    return nullptr;
  }
  os::Pipe* pipe = take_last(vacant_);
  *pipe = std::move(*opened);
  return pipe;
}

// An empty pipe: nothing is moved, the kernel only makes a longer list of slots.
void PipePool::grow(os::Pipe& pipe, base::Instant now) noexcept {
  if (large_ >= large_max_ || now < usual_until_) return;
  os::resize_pipe(pipe, large_bytes_);
  if (is_large(pipe))
    ++large_;
  else
    usual_until_ = now + pause_after_refusal;
}

void PipePool::give_back(os::Pipe* pipe) noexcept {
  owner_.check();
  if (is_large(*pipe)) {
    idle_large_.push_back(pipe);
  } else if (idle_.size() < base::pipes_warm_max) {
    idle_.push_back(pipe);
  } else {
    discard(pipe);
    return;
  }
  publish();
}

void PipePool::discard(os::Pipe* pipe) noexcept {
  owner_.check();
  if (is_large(*pipe)) --large_;
  *pipe = os::Pipe{};
  vacant_.push_back(pipe);
  publish();
}

void PipePool::close_unused_large() noexcept {
  for (; unused_large_ > 0; --unused_large_) discard(take_last(idle_large_));
  unused_large_ = idle_large_.size();
}

void PipePool::publish() noexcept {
  const std::size_t idle = idle_.size() + idle_large_.size();
  counters_.pipes_idle.set(idle);
  counters_.pipes_leased.set(pipes_.size() - vacant_.size() - idle);
  counters_.pipes_large.set(large_);
}

}  // namespace penstock::relay

#include "simulation/accept_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "simulation/outside.hpp"

namespace penstock::simulation {

using runtime::Accepting;

namespace {
// Two acceptors that pause for a place ring each other as often as one of them has a door to look
// at: three times are seen. A spin has no end.
constexpr unsigned rings_in_vain_max = 8;
}  // namespace

bool AcceptThread::somebody_waits_at(const Door& door) const noexcept {
  return door.awaited && !door.closed && !door.queue.empty();
}

bool AcceptThread::has_work() const noexcept {
  if (working_) return false;
  return is_rung() || timer_ <= kernel_.now() || may_empty_ ||
         std::any_of(doors_.begin(), doors_.end(),
                     [this](const Door& door) { return somebody_waits_at(door); });
}

void AcceptThread::work() {
  working_ = true;
  const std::uint64_t before = taken_;
  if (is_rung()) {
    bell_.clear();
    accepting_.resume();
    rings_in_vain_ = taken_ == before ? rings_in_vain_ + 1 : 0;
    if (rings_in_vain_ > rings_in_vain_max)
      violated("an acceptor is woken only where something was given back", -1,
               std::to_string(rings_in_vain_) + " rings in a row brought nobody");
  } else if (timer_ <= kernel_.now()) {
    timer_ = base::never;
    accepting_.resume();
  } else if (std::exchange(may_empty_, false)) {
    accepting_.empty_queues();
  } else {
    for (std::size_t door = 0; door < doors_.size(); ++door) {
      if (!somebody_waits_at(doors_[door])) continue;
      doors_[door].awaited = false;
      accepting_.arrived(door);
      break;
    }
  }
  working_ = false;
}

void AcceptThread::begin_stop(bool all) {
  stopping_ = may_empty_ = true;
  for (std::size_t door = 0; door < doors_.size(); ++door)
    if (all || kernel_.random().one_in(2)) accepting_.stop(door);
}

Accepting::Taken AcceptThread::take(std::size_t door) {
  auto accepted = kernel_.accept(doors_[door].queue);
  Kernel::trace("accept", bell_.descriptor(),
                accepted ? accepted->get() : -accepted.error().value());
  if (!accepted)
    return accepted.error().value() == EAGAIN ? Accepting::Taken::nobody
                                              : Accepting::Taken::shortage;
  held_ = std::move(*accepted);
  ++taken_;
  return Accepting::Taken::one;
}

bool AcceptThread::hand_on() noexcept {
  if (!has_ring_room()) return false;
  ring_.push_back(std::move(held_));
  return true;
}

void AcceptThread::close(std::size_t door) {
  if (!doors_[door].queue.empty())
    violated("a listener closes when nobody is queued", -1,
             std::to_string(doors_[door].queue.size()) + " clients are reset");
  doors_[door].closed = true;
}

}  // namespace penstock::simulation

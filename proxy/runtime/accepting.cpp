#include "runtime/accepting.hpp"

#include "base/limits.hpp"

namespace penstock::runtime {

void Accepting::start() {
  for (std::size_t door = 0; door < doors_.size(); ++door) await(door);
}

void Accepting::await(std::size_t door) {
  if (doors_[door].awaited || doors_[door].closed || paused_) return;
  doors_[door].awaited = true;
  hands_.await(door);
}

void Accepting::arrived(std::size_t door) {
  doors_[door].awaited = false;
  if (doors_[door].closed) return;
  serve(door);
  await(door);
}

void Accepting::serve(std::size_t door) {
  for (std::size_t taken = 0; taken < base::accept_batch_max; ++taken)
    if (accept_one(door) != Accepted::one) break;
  hands_.wake_forwarders();
}

Accepting::Accepted Accepting::accept_one(std::size_t door) {
  if (paused_) return Accepted::paused;
  if (!admission_.reserve()) {
    pause(Admission::Want::place);
    return Accepted::paused;
  }
  const Taken taken = hands_.take(door);
  if (taken != Taken::one) {
    // Before the place goes back: a release from now on is heard.
    if (taken == Taken::shortage) pause(Admission::Want::more);
    admission_.cancel();
    return taken == Taken::nobody ? Accepted::none : Accepted::paused;
  }
  if (hands_.hand_on()) return Accepted::one;
  holds_one_ = true;
  pause(Admission::Want::more);
  return Accepted::paused;
}

void Accepting::pause(Admission::Want want) {
  paused_ = true;
  admission_.pause(index_, want);
  hands_.start_timer(pause_at_most);
}

void Accepting::resume() {
  if (!paused_) return;
  if (holds_one_ && !hands_.hand_on()) {
    hands_.start_timer(pause_at_most);
    return;
  }
  holds_one_ = false;
  hands_.wake_forwarders();
  paused_ = false;
  admission_.resumed(index_);
  hands_.stop_timer();
  if (emptying_) empty_queues();
  if (paused_) return;
  // Served at once: what came during the pause need not make a new edge.
  for (std::size_t door = 0; door < doors_.size(); ++door)
    if (!doors_[door].closed) serve(door);
  for (std::size_t door = 0; door < doors_.size(); ++door) await(door);
}

void Accepting::stop(std::size_t door) {
  if (doors_[door].stopping) return;
  doors_[door].stopping = true;
  if (!doors_[door].closed) hands_.turn_away_newcomers(door);
}

void Accepting::empty_queues() {
  emptying_ = true;
  for (std::size_t door = 0; door < doors_.size(); ++door) {
    if (!doors_[door].stopping || doors_[door].closed) continue;
    Accepted last = Accepted::one;
    while (last == Accepted::one) last = accept_one(door);
    hands_.wake_forwarders();
    if (last == Accepted::paused) return;  // resume() comes back here
  }
  emptying_ = false;
  for (std::size_t door = 0; door < doors_.size(); ++door)
    if (doors_[door].stopping) close(door);
  hands_.emptied();
}

void Accepting::close(std::size_t door) {
  if (doors_[door].closed) return;
  doors_[door].closed = true;
  hands_.close(door);
}

}  // namespace penstock::runtime

#include "runtime/accepting.hpp"

#include "base/limits.hpp"

namespace penstock::runtime {

void Accepting::start() {
  for (std::size_t socket = 0; socket < sockets_.size(); ++socket) await(socket);
}

void Accepting::await(std::size_t socket) {
  ListeningSocket& one = sockets_[socket];
  if (one.awaited || one.state == State::closed || paused_) return;
  one.awaited = true;
  hands_.await(socket);
}

void Accepting::arrived(std::size_t socket) {
  sockets_[socket].awaited = false;
  if (sockets_[socket].state == State::closed) return;
  serve(socket);
  await(socket);
}

void Accepting::serve(std::size_t socket) {
  for (std::size_t taken = 0; taken < base::accept_batch_max; ++taken)
    if (accept_one(socket) != Accepted::one) break;
  hands_.wake_forwarders();
}

Accepting::Accepted Accepting::accept_one(std::size_t socket) {
  if (paused_) return Accepted::paused;
  if (!admission_.reserve()) {
    pause(Admission::Want::place);
    return Accepted::paused;
  }
  const Taken taken = hands_.take(socket);
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
  for (std::size_t socket = 0; socket < sockets_.size() && !paused_; ++socket)
    if (sockets_[socket].state == State::emptying) empty_queue(socket);
  if (paused_) return;
  // Served at once: what came during the pause need not make a new edge.
  for (std::size_t socket = 0; socket < sockets_.size(); ++socket)
    if (sockets_[socket].state != State::closed) serve(socket);
  for (std::size_t socket = 0; socket < sockets_.size(); ++socket) await(socket);
}

void Accepting::refuse_new(std::size_t socket) {
  if (sockets_[socket].state != State::accepting) return;
  sockets_[socket].state = State::refusing_new;
  hands_.turn_away_newcomers(socket);
}

void Accepting::empty(std::size_t socket) {
  if (sockets_[socket].state != State::refusing_new) return;
  sockets_[socket].state = State::emptying;
  if (!paused_) empty_queue(socket);
}

void Accepting::empty_queue(std::size_t socket) {
  Accepted last = Accepted::one;
  while (last == Accepted::one) last = accept_one(socket);
  hands_.wake_forwarders();
  if (last == Accepted::paused) return;  // resume() comes back here
  close(socket);
  hands_.emptied(socket);
}

void Accepting::close(std::size_t socket) {
  if (sockets_[socket].state == State::closed) return;
  sockets_[socket].state = State::closed;
  hands_.close(socket);
}

}  // namespace penstock::runtime

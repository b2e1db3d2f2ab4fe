#include "simulation/accept_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "simulation/outside.hpp"

namespace penstock::simulation {

using runtime::Accepting;

namespace {
// Two acceptors that pause for a place ring each other as often as one of them has a socket to look
// at: three times are seen. A spin has no end.
constexpr unsigned rings_in_vain_max = 8;
}  // namespace

bool AcceptThread::somebody_waits_at(const ListeningSocket& socket) const noexcept {
  return socket.awaited && !socket.closed && !socket.queue.empty();
}

bool AcceptThread::has_work() const noexcept {
  if (working_) return false;
  return is_rung() || timer_ <= kernel_.now() ||
         std::any_of(sockets_.begin(), sockets_.end(), [this](const ListeningSocket& socket) {
           return socket.may_empty || somebody_waits_at(socket);
         });
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
  } else {
    for (std::size_t socket = 0; socket < sockets_.size(); ++socket) {
      if (std::exchange(sockets_[socket].may_empty, false)) {
        accepting_.empty(socket);
        break;
      }
      if (!somebody_waits_at(sockets_[socket])) continue;
      sockets_[socket].awaited = false;
      accepting_.arrived(socket);
      break;
    }
  }
  working_ = false;
}

void AcceptThread::begin_stop(bool all) {
  for (std::size_t socket = 0; socket < sockets_.size(); ++socket) {
    if (!all && kernel_.random().one_in(2)) continue;
    if (accepting_.state(socket) != Accepting::State::accepting) continue;
    accepting_.refuse_new(socket);
    sockets_[socket].may_empty = true;
  }
}

Accepting::Taken AcceptThread::take(std::size_t socket) {
  auto accepted = kernel_.accept(sockets_[socket].queue);
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

void AcceptThread::close(std::size_t socket) {
  if (!sockets_[socket].queue.empty())
    violated("a listener closes when nobody is queued", -1,
             std::to_string(sockets_[socket].queue.size()) + " clients are reset");
  sockets_[socket].closed = true;
}

void AcceptThread::emptied(std::size_t socket) {
  if (!sockets_[socket].closed || !sockets_[socket].turns_away)
    violated("a listener closes when nobody is queued", -1, "who says so is not closed");
}

}  // namespace penstock::simulation

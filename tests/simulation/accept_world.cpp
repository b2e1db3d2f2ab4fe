#include "simulation/accept_world.hpp"

#include <algorithm>
#include <string>

namespace penstock::simulation {

namespace {

constexpr std::size_t queue_max = 8;  // of a socket
constexpr base::Instant start{std::chrono::hours{1}};
// The calls between two looks at the clock take their time.
constexpr base::Duration forgotten_after =
    runtime::Accepting::pause_at_most + std::chrono::milliseconds{1};

}  // namespace

AcceptWorld::AcceptWorld(std::uint64_t seed)
    : random_{seed},
      kernel_{random_, *this, start},
      bells_{(Kernel::set_current(&kernel_), os::Wakeup{}), os::Wakeup{}},
      places_{random_.between(1, 10)},
      admission_{places_, {&bells_[0], &bells_[1]}},
      turns_left_{random_.between(50, 1000)},
      pace_{random_.between(2, 40)} {
  no_room_at_.fill(start);
  kernel_.conditions().descriptors_max = acceptors + random_.between(1, 10);
  kernel_.conditions().one_in = random_.one_in(2) ? 0 : random_.between(3, 30);
  for (std::size_t index = 0; index < acceptors; ++index)
    threads_.push_back(std::make_unique<AcceptThread>(
        index, random_.between(1, 3), random_.between(1, 4), admission_, bells_[index], kernel_));
}

void AcceptWorld::run(Tally& tally) {
  for (auto& thread : threads_) thread->start();
  while (!over_) {
    const bool did = act();
    note_room();
    check_places();
    if (did) continue;
    check_nobody_is_forgotten();
    pass();
  }
  tally.connections += arrivals_;
  tally.steps += kernel_.steps();
}

bool AcceptWorld::act() {
  if (!healed_ && --turns_left_ == 0) heal();
  if (healed_) return let_one_work() || serve() || end_one();
  return random_.one_in(pace_) ? happen() : let_one_work();
}

// Between the calls of an acceptor, too: its thread is one of several.
void AcceptWorld::act_now_and_then() {
  note_room();
  if (random_.one_in(4)) healed_ || random_.one_in(2) ? let_one_work() : happen();
  note_room();
}

bool AcceptWorld::let_one_work() {
  const std::size_t first = random_.between(0, acceptors - 1);
  for (std::size_t i = 0; i < acceptors; ++i) {
    AcceptThread& thread = *threads_[(first + i) % acceptors];
    if (!thread.has_work()) continue;
    // Who comes by itself may ring others, and they may ring it in turn.
    if (!thread.is_rung()) give_reason();
    thread.work();
    return true;
  }
  return false;
}

bool AcceptWorld::happen() {
  switch (random_.between(0, 9)) {
    case 0:
    case 1:
    case 2:
    case 3: return arrive();
    case 4:
    case 5: return serve();
    case 6: return end_one();
    case 7: return change_others();
    case 8: return random_.one_in(40) && stop_some();
    default: return false;
  }
}

bool AcceptWorld::arrive() {
  auto& sockets = threads_[random_.between(0, acceptors - 1)]->sockets();
  AcceptThread::ListeningSocket& socket = sockets[random_.between(0, sockets.size() - 1)];
  if (socket.turns_away || socket.closed || socket.queue.size() >= queue_max) return false;
  auto client = kernel_.make_socket();
  client->state = Socket::State::established;
  client->stood = kernel_.now();
  socket.queue.push_back(std::move(client));
  ++arrivals_;
  return true;
}

bool AcceptWorld::serve() {
  const std::size_t first = random_.between(0, acceptors - 1);
  for (std::size_t i = 0; i < acceptors; ++i) {
    auto& ring = threads_[(first + i) % acceptors]->ring();
    if (ring.empty()) continue;
    connections_.push_back({std::move(ring.front()), {}});
    ring.pop_front();
    if (kernel_.has_free_descriptor()) connections_.back()[1] = os::Fd{kernel_.new_other()};
    return true;
  }
  return false;
}

// Its descriptors are closed before its place is given back.
bool AcceptWorld::end_one() {
  if (connections_.empty()) return false;
  std::swap(connections_[random_.between(0, connections_.size() - 1)], connections_.back());
  connections_.pop_back();
  admission_.release();
  give_reason();
  return true;
}

// Log files, look-ups, checks: nobody rings when they are closed.
bool AcceptWorld::change_others() {
  if (random_.one_in(2) && kernel_.has_free_descriptor())
    of_others_.emplace_back(kernel_.new_other());
  else if (!of_others_.empty())
    of_others_.pop_back();
  return true;
}

bool AcceptWorld::stop_some() {
  AcceptThread& thread = *threads_[random_.between(0, acceptors - 1)];
  if (thread.is_working()) return false;
  thread.begin_stop(false);
  return true;
}

void AcceptWorld::heal() {
  healed_ = true;
  kernel_.conditions().one_in = 0;
  of_others_.clear();
}

void AcceptWorld::pass() {
  base::Instant next = base::never;
  for (const auto& thread : threads_) next = std::min(next, thread->timer());
  if (healed_ && next == base::never) return at_rest();
  const base::Duration until_next = std::max(next - kernel_.now(), base::Duration{0});
  kernel_.pass(healed_
                   ? until_next
                   : std::min(until_next,
                              base::Duration{std::chrono::milliseconds{random_.between(0, 60)}}));
}

// Nobody has anything to do, and no timer runs.
void AcceptWorld::at_rest() {
  for (const auto& thread : threads_) {
    for (const AcceptThread::ListeningSocket& socket : thread->sockets())
      if (!socket.queue.empty() || ((closing_ || socket.turns_away) && !socket.closed))
        violated("when the faults are healed, everything ends", -1,
                 std::to_string(socket.queue.size()) + " clients wait at an open socket");
  }
  over_ = closing_;
  if (!closing_)
    for (auto& thread : threads_) thread->begin_stop(true);
  closing_ = true;
}

// A failure by chance is over as soon as it happened.
void AcceptWorld::call_failed(const Socket*) {
  no_room_at_.fill(kernel_.now());
}

void AcceptWorld::give_reason() noexcept {
  for (auto& thread : threads_) thread->note_reason();
}

bool AcceptWorld::has_room(const AcceptThread& thread) const noexcept {
  return kernel_.has_free_descriptor() && admission_.active() < places_ && thread.has_ring_room();
}

void AcceptWorld::note_room() noexcept {
  for (std::size_t i = 0; i < acceptors; ++i)
    if (!has_room(*threads_[i])) no_room_at_[i] = kernel_.now();
}

void AcceptWorld::check_nobody_is_forgotten() {
  for (const auto& thread : threads_)
    if (thread->has_work()) return;
  for (std::size_t i = 0; i < acceptors; ++i)
    for (const AcceptThread::ListeningSocket& socket : threads_[i]->sockets()) {
      if (socket.queue.empty()) continue;
      const base::Instant since = std::max(no_room_at_[i], socket.queue.front()->stood);
      if (kernel_.now() - since > forgotten_after)
        violated("who waits is taken while there is room", -1,
                 "nobody looks at a queue of " + std::to_string(socket.queue.size()));
    }
}

void AcceptWorld::check_places() const {
  std::size_t held = connections_.size();
  for (const auto& thread : threads_) held += thread->holds();
  if (held > places_)
    violated("no more connections than places", -1,
             std::to_string(held) + " of " + std::to_string(places_));
  if (held != admission_.active())
    violated("every connection has a place, and nobody else", -1,
             std::to_string(held) + " connections, " + std::to_string(admission_.active()));
}

}  // namespace penstock::simulation

#include "simulation/director.hpp"

#include <algorithm>
#include <cerrno>

#include "base/assert.hpp"

namespace penstock::simulation {

Director::Director(Random& random, Run& run, Rig& rig) noexcept
    : random_{random},
      run_{run},
      rig_{rig},
      turns_left_{run.plan.turns},
      next_ping_{run.plan.pings ? run.plan.start : base::never} {}

void Director::act_now_and_then() {
  if (!run_.stopping && random_.one_in(8)) act();
}

bool Director::act() {
  if (run_.stopping) return false;
  if (rig_.kernel.now() >= next_ping_) ping();
  if (turns_left_ == 0 && !run_.healed) heal();
  if (run_.healed) return settle();
  --turns_left_;
  if (run_.plan.crowd)
    while (run_.connections.size() < run_.plan.connections) open_connection();
  if (run_.connections.empty() ||
      (run_.connections.size() < run_.plan.connections && random_.one_in(4))) {
    open_connection();
    return true;
  }
  jump_or_drain();
  if (run_.plan.ready > 0 && random_.one_in(6)) return act_on_ready(), true;
  Connection& connection = pick_live();
  act_on(connection, static_cast<unsigned>(random_.between(0, 1)));
  return true;
}

Connection& Director::pick_live() {
  std::size_t place = random_.between(0, run_.connections.size() - 1);
  for (std::size_t i = 0; i < run_.connections.size() && run_.connections[place]->recorded; ++i)
    place = (place + 1) % run_.connections.size();
  return *run_.connections[place];
}

void Director::open_connection() {
  auto connection = std::make_unique<Connection>();
  const auto number = static_cast<int>(run_.connections.size());
  for (Peer& peer : connection->peers) {
    peer.to_send = random_.one_in(6) ? 0 : random_.between(1, run_.plan.bytes_max);
    peer.piece = static_cast<std::uint32_t>(
        random_.one_in(3) ? random_.between(1, 40) : random_.between(1, run_.plan.piece_max));
  }
  connection->peers[random_.between(0, 1)].answers = random_.one_in(3);
  auto socket = rig_.kernel.make_socket();
  socket->connection = number;
  socket->state = Socket::State::established;
  connection->ends[0] = socket;
  connection->disturbed = run_.plan.short_timeouts || run_.draining;
  rig_.kernel.new_socket(socket);
  connection->begun = rig_.kernel.now();
  const bool over_limit = run_.plan.resets && random_.one_in(50);
  if (over_limit) connection->disturbed = true;
  run_.connections.push_back(std::move(connection));
  rig_.hand_over(socket, static_cast<std::uint64_t>(number), over_limit);
}

void Director::jump_or_drain() {
  if (run_.plan.jumps && random_.one_in(300)) stand_still();
  if (!run_.plan.drains || run_.draining || !random_.one_in(500)) return;
  run_.draining = true;
  for (auto& connection : run_.connections) connection->disturbed = true;
  const runtime::Command drain{.kind = runtime::Command::Kind::drain,
                               .timeout = std::chrono::milliseconds{random_.between(0, 5000)}};
  PENSTOCK_ASSERT(rig_.forwarder.command(drain));
}

// Meanwhile the others go on.
void Director::stand_still() {
  for (auto turns = random_.between(0, 8); turns > 0; --turns)
    act_on(pick_live(), static_cast<unsigned>(random_.between(0, 1)));
  rig_.kernel.pass(std::chrono::milliseconds{random_.between(1, 20'000)});
}

void Director::heal() {
  while (run_.connections.size() < run_.plan.connections) open_connection();
  run_.healed = true;
  if (run_.drained) drain_or_not();
  rig_.kernel.conditions().one_in = 0;
  rig_.kernel.conditions().small_pipes = false;
  rig_.kernel.conditions().crowd = false;
  rig_.kernel.conditions().lost_in = 0;
  for (auto& connection : run_.connections)
    for (Peer& peer : connection->peers) {
      peer.stalled = false;
      peer.piece = std::max<std::uint32_t>(peer.piece, 4096);
    }
}

bool Director::settle() {
  if (run_.plan.ready > 0 && act_on_ready()) return true;
  for (std::size_t i = 0; i < 2 * run_.connections.size(); ++i) {
    settled_ = (settled_ + 1) % (2 * run_.connections.size());
    if (act_on(*run_.connections[settled_ / 2], settled_ % 2)) return true;
  }
  return false;
}

// After the healing as often as it takes to take everybody up; then timeouts must end the rest.
void Director::ping() {
  constexpr unsigned last_pings_max = 100;
  last_pings_ = run_.healed ? last_pings_ + 1 : 0;
  next_ping_ =
      last_pings_ < last_pings_max ? rig_.kernel.now() + std::chrono::seconds{1} : base::never;
  const bool asked = rig_.forwarder.command({.kind = runtime::Command::Kind::ping});
  if (asked && run_.drained && !run_.drained->pinged) run_.drained->pinged = run_.waits;
}

void Director::stop() {
  run_.stopping = true;
  rig_.forwarder.request_stop();
}

// A queue that is full now has room long before a connection's budget has passed, and for longer
// than the longest pause.
bool Director::queues_are_full() {
  if (!run_.plan.unix_endpoints) return false;
  const base::Instant now = rig_.kernel.now();
  if (now >= next_full_ && !run_.healed) {
    full_until_ = now + std::chrono::milliseconds{random_.between(0, 3000)};
    next_full_ = full_until_ + std::chrono::seconds{4};
  }
  return now < full_until_;
}

int Director::error_at_once(std::size_t endpoint) {
  const bool is_full = queues_are_full();
  if (run_.plan.cut_off[endpoint] != 0) return run_.plan.cut_off[endpoint];
  return is_full ? EAGAIN : 0;
}

}  // namespace penstock::simulation

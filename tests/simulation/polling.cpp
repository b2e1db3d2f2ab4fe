// The polling half of the simulated kernel: who is ready, and the sleep in which the world acts.

#include <algorithm>
#include <cerrno>

#include "simulation/kernel.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

namespace {
constexpr unsigned fruitless_waits_max = 300;
}

base::ErrorCode Kernel::add(int descriptor, std::uint64_t token,
                            bool reads_are_asked_for) noexcept {
  enter();
  Socket& added = socket(descriptor);
  world_.registered(table_[static_cast<std::size_t>(descriptor)].socket, token);
  if (fails()) {
    world_.call_failed(&added);
    return base::error_from(ENOSPC);
  }
  added.registered = true;
  added.reads_are_asked_for = reads_are_asked_for && !buffers_.empty();
  added.token = token;
  if (state_of(added)) wake(added);  // what is so already is announced at once
  return {};
}

// As tcp_poll() has it, in the terms of os/poller.
std::optional<os::Readiness> Kernel::state_of(Socket& socket) noexcept {
  if (socket.state == Socket::State::connecting) return std::nullopt;
  const bool dead = socket.state == Socket::State::dead;
  const bool hung_up = dead || (socket.fin_sent && socket.fin_received);
  const bool error = socket.error != 0 || !socket.notices.empty();
  const bool finished = socket.fin_received || dead;
  const bool has_room = socket.fin_sent || 3 * socket.room() >= socket.send_capacity;
  if (!has_room) socket.met_full = true;
  const bool bytes = socket.unread() > 0 && !socket.reads_are_asked_for;
  const os::Readiness ready{.readable = bytes || finished || hung_up || error,
                            .writable = has_room || hung_up || error,
                            .urgent = socket.mark.has_value() && *socket.mark >= socket.read,
                            .peer_finished = finished || hung_up,
                            .failed = error};
  const bool anything = ready.readable || ready.writable || ready.urgent || ready.failed;
  return anything ? std::optional{ready} : std::nullopt;
}

std::array<os::Readiness, 2> Kernel::ready_now(std::array<int, 2> sockets) noexcept {
  enter();
  std::array<os::Readiness, 2> ready{};
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    Socket& asked = socket(sockets[i]);
    // A level is only looked at: nobody is promised an edge for it.
    const bool met_full = asked.met_full;
    ready[i] = state_of(asked).value_or(os::Readiness{});
    asked.end_was_told = ready[i].peer_finished;
    asked.met_full = met_full;
  }
  return ready;
}

std::size_t Kernel::collect(std::span<os::Event> events) noexcept {
  std::size_t count = answer_asked(events);
  if (!ready_.empty() && random_.one_in(4))
    std::rotate(ready_.begin(),
                ready_.begin() + static_cast<std::ptrdiff_t>(random_.between(0, ready_.size() - 1)),
                ready_.end());
  while (!ready_.empty() && count < events.size()) {
    Descriptor& descriptor = table_[static_cast<std::size_t>(ready_.front())];
    ready_.pop_front();
    if (descriptor.socket == nullptr || !descriptor.socket->on_ready_list) continue;
    descriptor.socket->on_ready_list = false;
    descriptor.socket->announced = descriptor.socket->arrived;
    const auto ready = state_of(*descriptor.socket);
    if (!ready) continue;
    descriptor.socket->end_was_told = ready->peer_finished;
    events[count++] = {.token = descriptor.socket->token, .ready = *ready};
  }
  return count;
}

// epoll(7) promises no event without a reason, but allows for it.
void Kernel::wake_somebody_for_nothing() noexcept {
  if (conditions_.crowd)
    for (Descriptor& each : table_)
      if (each.kind == Kind::socket) wake(*each.socket);
  if (table_.empty() || !random_.one_in(32)) return;
  Descriptor& chosen = table_[random_.between(0, table_.size() - 1)];
  if (chosen.kind == Kind::socket) wake(*chosen.socket);
}

// A wait that did not sleep, after a round in which nothing changed, is a turn of a spin.
std::size_t Kernel::leave_wait(std::size_t events, bool slept) noexcept {
  const bool fruitless = !slept && progress_ == progress_at_wait_;
  fruitless_waits_ = fruitless ? fruitless_waits_ + 1 : 0;
  progress_at_wait_ = progress_;
  woke_at_ = now_;
  just_woke_ = true;
  if (fruitless_waits_ > fruitless_waits_max)
    violated("a loop that has nothing to do sleeps", -1,
             std::to_string(fruitless_waits_) + " waits in a row that changed nothing");
  return events;
}

// Nothing happens before the deadline but what control asks. False where that would be for ever.
bool Kernel::idle_until(base::Instant deadline) noexcept {
  if (const base::Instant ping = world_.next_ping(); ping < deadline) {
    now_ = std::max(now_, ping);
    world_.ping();
    return true;
  }
  if (deadline == base::never) return false;
  now_ = base::Instant{std::chrono::ceil<std::chrono::milliseconds>(deadline.time_since_epoch())};
  return true;
}

void Kernel::send_at_once(int descriptor) noexcept {
  enter();
  socket(descriptor).no_delay = true;
}

// Nagle's rule holds back a small segment behind another one; what is written once it lets go.
void Kernel::nobody_is_delayed() const noexcept {
  for (const Descriptor& each : table_)
    if (each.kind == Kind::socket && each.socket->side == 1 && each.socket->writes > 1 &&
        !each.socket->no_delay)
      violated("no bytes wait for an acknowledgement", each.socket->connection,
               std::to_string(each.socket->writes) + " writes without TCP_NODELAY");
}

std::size_t Kernel::wait(base::Duration timeout, std::span<os::Event> events) noexcept {
  ++steps_;
  if (now_ - round_began_ > base::round_max) ++long_rounds_;
  close_what_was_asked();
  world_.collect_records();
  world_.act_now_and_then();
  world_.waits();
  if (!world_.healed()) wake_somebody_for_nothing();
  const base::Instant deadline = timeout == base::Duration::max() ? base::never : now_ + timeout;
  bool slept = false;
  for (;;) {
    if (const std::size_t count = collect(events); count > 0) return leave_wait(count, slept);
    if (std::exchange(woken_, false) || now_ >= deadline) return leave_wait(0, slept);
    slept = true;
    nobody_is_delayed();
    world_.sleeps();
    if (world_.act()) {
      now_ += std::chrono::microseconds{random_.between(0, 1000)};
    } else if (!idle_until(deadline)) {
      world_.at_rest();
    }
  }
}

}  // namespace penstock::simulation

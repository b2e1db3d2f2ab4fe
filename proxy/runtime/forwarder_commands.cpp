// What control tells a forwarder, and how it obeys.

#include <algorithm>

#include "runtime/forwarder.hpp"

namespace penstock::runtime {

using session::Session;

void Forwarder::take_commands() noexcept {
  owner_.check();
  Command command;
  while (inbox_.take(command)) obey(command);
}

void Forwarder::obey(const Command& command) noexcept {
  switch (command.kind) {
    case Command::Kind::ping:
      context_.ready.look(context_.now);  // before the answer: see ReadySockets
      answer_.give(command.number, context_.now);
      sample_due_ = true;
      place_.note_cpu();
      return;
    case Command::Kind::drain: begin_drain(command.timeout); return;
    case Command::Kind::remove_endpoints: remove_endpoints(command); return;
    case Command::Kind::cut: cut_all(); return;
  }
}

// Calls visit(Session&, base::Instant turn) for each: the n-th of N connections has its turn at n/N
// of the timeout, so that a reconnect storm is spread, and a lone idle connection goes at once.
template <class Visit>
void Forwarder::visit_in_turn(base::Duration timeout, Visit&& visit) noexcept {
  const auto count = static_cast<std::int64_t>(std::max<std::size_t>(table_.size(), 1));
  std::int64_t place = 0;
  table_.for_each(
      [&](Session& session) { visit(session, context_.now + timeout / count * place++); });
}

void Forwarder::begin_drain(base::Duration timeout) noexcept {
  context_.drain_deadline = context_.now + timeout;
  context_.ready.end();
  visit_in_turn(timeout, [this](Session& session, base::Instant turn) {
    session.begin_drain(turn, context_);
  });
}

void Forwarder::remove_endpoints(const Command& command) noexcept {
  visit_in_turn(command.timeout, [&](Session& session, base::Instant turn) {
    follow(session, session.leave(*command.removals, turn, context_));
  });
}

void Forwarder::cut_all() noexcept {
  context_.ready.end();
  table_.for_each([this](Session& session) {
    session.cut(context_);
    end(session);
  });
}

}  // namespace penstock::runtime

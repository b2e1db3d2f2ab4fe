#include "runtime/run_queue.hpp"

#include "base/limits.hpp"

namespace penstock::runtime {

using session::Session;

// Who waits for a held buffer must run at an event, for that may be what lets it give one back.
void RunQueue::enqueue(Session& session) noexcept {
  session::ListHook& hook = session;
  if (hook.is_linked() && !starved_.empty()) hook.unlink();
  if (!hook.is_linked()) (session.is_bulk() ? bulk_ : ready_).push_back(session);
}

void RunQueue::add_hungry(Session& session) noexcept {
  if (!holds(session)) bulk_.push_back(session);
}

void RunQueue::add_starved(Session& session) noexcept {
  if (!holds(session)) starved_.push_back(session);
}

void RunQueue::release_starved() noexcept {
  ready_.splice(ready_.end(), starved_);
}

Session* RunQueue::take_first(List& list) noexcept {
  if (list.empty()) return nullptr;
  Session& session = list.front();
  list.pop_front();
  return &session;
}

Session* RunQueue::next_ready() noexcept {
  return take_first(ready_);
}

bool RunQueue::bulk_is_due(base::Instant now) const noexcept {
  return !bulk_.empty() && (!small_ran_ || now >= bulk_due_);
}

void RunQueue::begin_bulk_turn(base::Instant now) noexcept {
  turn_began_ = now;
  turn_.splice(turn_.end(), bulk_);
}

Session* RunQueue::next_bulk(base::Instant now) noexcept {
  if (now - turn_began_ < base::bulk_turn)
    if (Session* session = take_first(turn_)) return session;
  bulk_.splice(bulk_.begin(), turn_);
  bulk_due_ = now + base::bulk_patience;
  return nullptr;
}

}  // namespace penstock::runtime

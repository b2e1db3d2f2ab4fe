#include "runtime/forwarder.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <utility>

#include "base/assert.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "session/accounting.hpp"
#include "session/close_reason.hpp"
#include "upstream/upstream.hpp"

namespace penstock::runtime {

using session::Next;
using session::Session;

namespace {

os::Poller make_poller() {
  auto poller = os::Poller::create();
  if (!poller) throw boost::system::system_error{poller.error(), "epoll"};
  return std::move(*poller);
}

}  // namespace

Forwarder::Forwarder(Setup setup, const session::LogSwitches& log, Admission& admission,
                     RecordBell& bell, std::pmr::memory_resource& memory)
    : setup_{std::move(setup)},
      memory_{memory},
      admission_{admission},
      bell_{bell},
      records_{base::record_ring_slots, memory},
      stalls_{base::stall_ring_slots, memory},
      poller_{make_poller()},
      inbox_{setup_.acceptors, poller_, memory},
      timers_{os::now()},
      workspace_{setup_.relay, memory},
      counters_{setup_.listeners, setup_.upstreams.size(), memory},
      recorders_{memory},
      sites_{setup_.sites, memory},
      table_{memory, sites_},
      context_{.poller = poller_,
               .timers = timers_,
               .relay = workspace_,
               .counters = counters_,
               .records = records_,
               .stalls = stalls_,
               .recorders = recorders_,
               .log = log,
               .forwarder = setup_.index,
               .node = static_cast<std::uint16_t>(setup_.plan.node),
               .now = os::now()},
      spin_{setup_.spin},
      answer_{os::now()} {}

Forwarder::~Forwarder() {
  if (!thread_.joinable()) return;
  request_stop();
  thread_.join();
}

void Forwarder::start(const ThreadLock* lock) {
  thread_ = std::thread{[this, lock] { run(lock); }};
}

void Forwarder::join() {
  thread_.join();
}

bool Forwarder::offer(std::size_t sender, session::Arrival& arrival) noexcept {
  if (!inbox_.offer(sender, arrival)) return false;
  load_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void Forwarder::settle_in(const ThreadLock* lock) noexcept {
  owner_.adopt();
  inbox_.adopt();
  workspace_.pipes().adopt();
  os::name_thread("forwarder-" + std::to_string(setup_.index));
  place_.settle(setup_.plan);
  use_ring();
  place_.lock(lock);
}

void Forwarder::use_ring() noexcept {
  if (setup_.relay.engine != relay::EnginePolicy::uring) return;
  // Here, and not before: what the kernel allocates for a ring comes from this thread's node.
  const auto refusal = poller_.use_ring(memory_);
  ring_refusal_.store(refusal.value(), std::memory_order_relaxed);
  if (!refusal) workspace_.ring = &poller_;
}

void Forwarder::run(const ThreadLock* lock) noexcept {
  settle_in(lock);
  rounds_.begin(os::now());
  for (;;) {
    context_.now = workspace_.now = os::now();
    take_commands();
    if (inbox_.stop_is_requested()) break;
    take_arrivals();
    resume_queued();
    // Events before timers: see PollFairness.
    run_ready();
    if (!fairness_.events_left()) fire_timers();
    if (sample_due_ && !fairness_.events_left()) sample_stalls();
    run_bulk();
    context_.ready.replace(context_.now);
    ring_for_records();
    wait_for_events();
  }
  take_arrivals();
  cut_all();
  ring_for_records();
  poller_.wait(base::Duration{0});  // a ring closes what it was asked to close
}

void Forwarder::take_arrivals() noexcept {
  owner_.check();
  inbox_.take_arrivals([this](session::Arrival& arrival) { take_in(arrival); });
}

// The first in line of each upstream, where it is one of ours. Who takes its place wakes the next.
void Forwarder::resume_queued() noexcept {
  owner_.check();
  if (!inbox_.take_wake_queued()) return;
  for (upstream::Upstream* upstream : setup_.upstreams) {
    const auto token = upstream->queue().first_of(setup_.index);
    if (!token) continue;
    Session* session = table_.find(*token).session;
    PENSTOCK_ASSERT(session != nullptr);  // who ends leaves the line
    follow(*session, session->slot_available(context_));
  }
}

void Forwarder::take_in(session::Arrival& arrival) noexcept {
  place_.sample_arrival(arrival.socket, setup_.plan);
  // It came after this round had begun, and nothing of it is older than itself.
  context_.now = workspace_.now = std::max(context_.now, arrival.at);
  try {
    Session& session = table_.create(arrival);
    if (context_.drain_deadline != base::never)
      session.begin_drain(context_.now + base::drain_idle_after, context_);
    follow(session, session.start(context_));
  } catch (const std::bad_alloc&) {
    refuse(arrival);
  }
}

// There is no memory for a session. The books are kept all the same.
void Forwarder::refuse(const session::Arrival& arrival) noexcept {
  session::Record record;
  session::opened(arrival, context_);
  os::reset_on_close(arrival.socket);
  os::close_descriptor(arrival.socket);
  session::closed(arrival, session::CloseReason::overload, record, context_);
  load_.fetch_sub(1, std::memory_order_relaxed);
  admission_.release();
}

// As of the moment until which everybody has been heard. The process may have stood still since,
// anywhere, and what came meanwhile is for the next wait to tell.
void Forwarder::fire_timers() noexcept {
  owner_.check();
  const base::Instant now = std::exchange(context_.now, fairness_.heard_until());
  timers_.advance(context_.now, [this](base::Timer& timer) {
    auto& session = static_cast<Session&>(timer);
    // Who stands in line has bytes that came in time.
    if (RunQueue::holds(session)) session.was_active(context_.now);
    follow(session, session.expired(context_));
  });
  context_.now = now;
}

void Forwarder::sample_stalls() noexcept {
  owner_.check();
  sample_due_ = false;
  workspace_.pipes().close_unused_large();
  for (Session* session : sampler_.look(table_, context_)) {
    session->resume_stalled(context_);
    run_queue_.enqueue(*session);
  }
}

void Forwarder::run_ready() noexcept {
  owner_.check();
  if (run_queue_.has_starved() && workspace_.buffers().available()) run_queue_.release_starved();
  run_queue_.begin_round();
  while (Session* session = run_queue_.next_ready()) follow(*session, session->run(context_));
}

void Forwarder::run_bulk() noexcept {
  owner_.check();
  if (!run_queue_.bulk_is_due(context_.now)) return;
  base::Instant now = os::now();
  run_queue_.begin_bulk_turn(now);
  while (Session* session = run_queue_.next_bulk(now)) {
    follow(*session, session->run(context_));
    now = os::now();
  }
}

void Forwarder::follow(Session& session, Next next) noexcept {
  switch (next) {
    case Next::wait: return;
    case Next::hungry: run_queue_.add_hungry(session); return;
    case Next::starved: run_queue_.add_starved(session); return;
    case Next::ended: end(session); return;
  }
}

void Forwarder::end(Session& session) noexcept {
  table_.destroy(session);
  load_.fetch_sub(1, std::memory_order_relaxed);
  admission_.release();
}

// How long there is nothing to do but to wait for events.
base::Duration Forwarder::rest() noexcept {
  if (run_queue_.has_work()) return base::Duration{0};
  if (run_queue_.has_starved() && workspace_.buffers().available()) return base::Duration{0};
  const base::Instant wakeup = timers_.next_wakeup();
  if (wakeup == base::never) return base::Duration::max();
  return std::max(base::Duration{0}, wakeup - context_.now);
}

void Forwarder::wait_for_events() noexcept {
  owner_.check();
  const base::Instant asked = os::now();
  rounds_.end(asked);
  if (asked - context_.now > base::round_max) stood_still_until(asked);
  fairness_.begin_wait(asked, table_.size());
  std::span<const os::Event> events;
  if (const base::Duration spin = std::min(rest(), spin_.length()); spin > base::Duration{0}) {
    events = inbox_.spin_until(asked + spin);
    context_.now = os::now();
    spin_.note(!events.empty() || !inbox_.is_empty());
  }
  if (events.empty()) events = inbox_.wait(rest());
  fairness_.end_wait(events.size());
  context_.now = os::now();
  rounds_.begin(context_.now);
  for (const os::Event& event : events) {
    const auto [session, side] = table_.find(event.token);
    if (session == nullptr) continue;
    session->note(side, event, context_);
    run_queue_.enqueue(*session);
  }
}

// In a round that was held up the time that was noted is that of its beginning, and bytes may have
// been moved at its end.
void Forwarder::stood_still_until(base::Instant end) noexcept {
  table_.for_each([this, end](Session& session) {
    if (session.last_activity() >= context_.now) session.was_active(end);
  });
}

void Forwarder::ring_for_records() noexcept {
  const bool stale = setup_.upstreams_stale->load(std::memory_order_relaxed);
  if ((stale || !records_.empty()) && bell_.control.must_wake()) bell_.wakeup.notify();
}

}  // namespace penstock::runtime

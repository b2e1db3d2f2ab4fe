#include "runtime/forwarder.hpp"

#include <boost/system/system_error.hpp>
#include <utility>

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

constexpr std::size_t command_ring_slots = 64;

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
      arrivals_{&memory},
      commands_{command_ring_slots, memory},
      records_{base::record_ring_slots, memory},
      stalls_{base::stall_ring_slots, memory},
      poller_{make_poller()},
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
               .now = os::now()} {
  for (std::size_t i = 0; i < setup_.acceptors; ++i)
    arrivals_.emplace_back(base::handoff_ring_slots, memory);
  answered_nanoseconds_.set(static_cast<std::uint64_t>(os::now().time_since_epoch().count()));
}

Forwarder::~Forwarder() {
  if (!thread_.joinable()) return;
  request_stop();
  thread_.join();
}

void Forwarder::start(const ThreadLock* lock) {
  thread_ = std::thread{[this, lock] { run(lock); }};
}

void Forwarder::request_stop() noexcept {
  stop_requested_.store(true, std::memory_order_seq_cst);
  if (sleep_.must_wake()) poller_.wake();
}

void Forwarder::join() {
  thread_.join();
}

base::Instant Forwarder::last_answer() const noexcept {
  return base::Instant{base::Duration{static_cast<std::int64_t>(answered_nanoseconds_.value())}};
}

bool Forwarder::offer(std::size_t sender, session::Arrival& arrival) noexcept {
  if (!arrivals_[sender].try_push(std::move(arrival))) return false;
  load_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void Forwarder::wake_for_arrivals() noexcept {
  if (sleep_.must_wake()) poller_.wake();
}

bool Forwarder::command(Command command) noexcept {
  if (!commands_.try_push(std::move(command))) return false;
  if (sleep_.must_wake()) poller_.wake();
  return true;
}

void Forwarder::wake_queued() noexcept {
  queued_woken_.store(true, std::memory_order_seq_cst);
  if (sleep_.must_wake()) poller_.wake();
}

void Forwarder::settle_in(const ThreadLock* lock) noexcept {
  owner_.adopt();
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
    if (stop_requested_.load(std::memory_order_relaxed)) break;
    take_arrivals();
    resume_queued();
    // Events come before timers: after a pause of the whole process both are due, and a byte that
    // is there must not be too late. A full batch may have left some behind.
    run_ready();
    if (!events_left()) fire_timers();
    if (sample_due_ && !events_left()) sample_stalls();
    run_bulk();
    ring_for_records();
    wait_for_events();
  }
  take_arrivals();
  cut_all();
  ring_for_records();
  poller_.wait(base::Duration{0});  // a ring closes what it was asked to close
}

void Forwarder::take_commands() noexcept {
  owner_.check();
  Command command;
  while (commands_.try_pop(command)) obey(command);
}

void Forwarder::obey(const Command& command) noexcept {
  switch (command.kind) {
    case Command::Kind::ping:
      answered_nanoseconds_.set(
          static_cast<std::uint64_t>(context_.now.time_since_epoch().count()));
      answered_ping_.store(command.number, std::memory_order_release);
      sample_due_ = true;
      place_.note_cpu();
      return;
    case Command::Kind::drain: begin_drain(command.timeout); return;
    case Command::Kind::remove_endpoint: remove_endpoint(command); return;
    case Command::Kind::cut: cut_all(); return;
  }
}

void Forwarder::take_arrivals() noexcept {
  session::Arrival arrival;
  for (auto& ring : arrivals_)
    while (ring.try_pop(arrival)) take_in(arrival);
}

// The first in line of each upstream, where it is one of ours. Who takes its place calls the next.
void Forwarder::resume_queued() noexcept {
  if (!queued_woken_.load(std::memory_order_relaxed)) return;
  queued_woken_.store(false, std::memory_order_seq_cst);
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
  const base::Instant now = std::exchange(context_.now, heard_until_);
  timers_.advance(context_.now, [this](base::Timer& timer) {
    auto& session = static_cast<Session&>(timer);
    // Who stands in line has bytes that came in time.
    if (session.session::ListHook::is_linked()) session.was_active(context_.now);
    follow(session, session.expired(context_));
  });
  context_.now = now;
}

void Forwarder::sample_stalls() noexcept {
  sample_due_ = false;
  for (Session* session : sampler_.look(table_, context_)) {
    session->resume_stalled(context_);
    enqueue(*session);
  }
}

void Forwarder::run_ready() noexcept {
  if (!starved_.empty() && workspace_.buffers().available()) ready_.splice(ready_.end(), starved_);
  small_ran_ = !ready_.empty();
  while (!ready_.empty()) {
    Session& session = ready_.front();
    ready_.pop_front();
    follow(session, session.run(context_));
  }
}

void Forwarder::run_bulk() noexcept {
  if (bulk_.empty() || (small_ran_ && context_.now < bulk_due_)) return;
  const base::Instant begun = os::now();
  base::Instant now = begun;
  // Who is hungry again stands behind this mark and waits for the next turn.
  SessionList turn;
  turn.splice(turn.end(), bulk_);
  while (!turn.empty() && now - begun < base::bulk_turn) {
    Session& session = turn.front();
    turn.pop_front();
    follow(session, session.run(context_));
    now = os::now();
  }
  bulk_.splice(bulk_.begin(), turn);
  bulk_due_ = now + base::bulk_patience;
}

void Forwarder::follow(Session& session, Next next) noexcept {
  switch (next) {
    case Next::wait: return;
    case Next::hungry:
      if (!session.session::ListHook::is_linked()) bulk_.push_back(session);
      return;
    case Next::starved:
      if (!session.session::ListHook::is_linked()) starved_.push_back(session);
      return;
    case Next::ended: end(session); return;
  }
}

void Forwarder::end(Session& session) noexcept {
  table_.destroy(session);
  load_.fetch_sub(1, std::memory_order_relaxed);
  admission_.release();
}

bool Forwarder::nothing_came() const noexcept {
  if (!commands_.empty() || queued_woken_.load(std::memory_order_seq_cst)) return false;
  if (stop_requested_.load(std::memory_order_seq_cst)) return false;
  for (const auto& ring : arrivals_)
    if (!ring.empty()) return false;
  return true;
}

// How long there is nothing to do but to wait for events.
base::Duration Forwarder::rest() noexcept {
  if (!ready_.empty() || !bulk_.empty()) return base::Duration{0};
  if (!starved_.empty() && workspace_.buffers().available()) return base::Duration{0};
  const base::Instant wakeup = timers_.next_wakeup();
  if (wakeup == base::never) return base::Duration::max();
  return std::max(base::Duration{0}, wakeup - context_.now);
}

// Asks again and again for at most runtime.spin. Senders see a thread that is awake and save the
// wake-up.
std::span<const os::Event> Forwarder::spin() noexcept {
  const base::Instant end = context_.now + std::min(rest(), setup_.spin);
  std::span<const os::Event> events;
  do {
    events = poller_.wait(base::Duration{0});
    context_.now = os::now();
  } while (events.empty() && nothing_came() && context_.now < end);
  return events;
}

std::span<const os::Event> Forwarder::sleep() noexcept {
  base::Duration timeout = rest();
  if (timeout > base::Duration{0}) {
    sleep_.prepare_to_sleep();
    if (!nothing_came()) timeout = base::Duration{0};
  }
  const auto events = poller_.wait(timeout);
  sleep_.awake();
  return events;
}

void Forwarder::wait_for_events() noexcept {
  const base::Instant asked = os::now();
  rounds_.end(asked);
  if (asked - context_.now > base::round_max) stood_still_until(asked);
  if (!events_left()) {
    full_batches_ = 0;
    heard_until_ = asked;
  }
  std::span<const os::Event> events;
  if (setup_.spin > base::Duration{0} && rest() > base::Duration{0}) events = spin();
  if (events.empty()) events = sleep();
  full_batches_ = events.size() >= base::poll_batch_max ? full_batches_ + 1 : 0;
  context_.now = os::now();
  rounds_.begin(context_.now);
  for (const os::Event& event : events) {
    const auto [session, side] = table_.find(event.token);
    if (session == nullptr) continue;
    session->note(side, event, context_);
    enqueue(*session);
  }
}

// In a round that was held up the time that was noted is that of its beginning, and bytes may have
// been moved at its end.
void Forwarder::stood_still_until(base::Instant end) noexcept {
  table_.for_each([this, end](Session& session) {
    if (session.last_activity() >= context_.now) session.was_active(end);
  });
}

// The kernel hands out its ready sockets in turn, two for each session: after so many full batches
// everybody has been heard, and a forwarder that is always busy must not keep its timers waiting.
bool Forwarder::events_left() const noexcept {
  return full_batches_ > 0 && full_batches_ <= 2 * table_.size() / base::poll_batch_max;
}

// Who stands in a list keeps its place. But who waits for a held buffer must run at an event, for
// that may be what lets it give one back.
void Forwarder::enqueue(Session& session) noexcept {
  session::ListHook& hook = session;
  if (hook.is_linked() && !starved_.empty()) hook.unlink();
  if (!hook.is_linked()) (session.is_bulk() ? bulk_ : ready_).push_back(session);
}

// The n-th of N connections has its turn at n/N of the timeout: a reconnect storm is spread, and a
// lone idle connection goes at once.
void Forwarder::begin_drain(base::Duration timeout) noexcept {
  context_.drain_deadline = context_.now + timeout;
  const auto count = static_cast<std::int64_t>(std::max<std::size_t>(table_.size(), 1));
  std::int64_t place = 0;
  table_.for_each([&](Session& session) {
    session.begin_drain(context_.now + timeout / count * place++, context_);
  });
}

// Its drained connections take turns as those of a whole drain do.
void Forwarder::remove_endpoint(const Command& command) noexcept {
  const auto count = static_cast<std::int64_t>(std::max<std::size_t>(table_.size(), 1));
  std::int64_t place = 0;
  session::EndpointRemoval removal = command.removal;
  table_.for_each([&](Session& session) {
    removal.turn = context_.now + command.timeout / count * place++;
    follow(session, session.leave(removal, context_));
  });
}

void Forwarder::cut_all() noexcept {
  table_.for_each([this](Session& session) {
    session.cut(context_);
    end(session);
  });
}

void Forwarder::ring_for_records() noexcept {
  const bool stale = setup_.upstreams_stale->load(std::memory_order_relaxed);
  if ((stale || !records_.empty()) && bell_.control.must_wake()) bell_.wakeup.notify();
}

}  // namespace penstock::runtime

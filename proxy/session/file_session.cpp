#include "session/file_session.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "os/socket.hpp"
#include "relay/counters.hpp"
#include "session/accounting.hpp"
#include "session/context.hpp"
#include "session/counters.hpp"
#include "session/failure_reason.hpp"

namespace penstock::session {

FileSession::~FileSession() {
  PENSTOCK_ASSERT(phase_ == Phase::ended);
}

Next FileSession::start(Context& context) noexcept {
  opened(arrival_, context);
  if (arrival_.over_limit) return finish(CloseReason::connection_limit, Ending::reset, context);
  if (context.poller.add(arrival_.socket, token(0), os::Poller::Reads::announced))
    return finish(CloseReason::overload, Ending::reset, context);
  last_activity_ = context.now;
  arm_deadlines(context);
  return Next::wait;
}

// The responder asks the socket itself whenever it runs.
void FileSession::note(unsigned, const os::Event& event, Context&) noexcept {
  failed_ = failed_ || event.ready.failed;
}

Next FileSession::run(Context& context) noexcept {
  return phase_ == Phase::aborting ? run_aborting(context) : run_responder(context);
}

Next FileSession::run_responder(Context& context) noexcept {
  const std::uint64_t received = responder_.bytes_received();
  const std::uint64_t copied = responder_.bytes_sent_by_copy();
  const std::uint64_t by_sendfile = responder_.bytes_sent_by_sendfile();
  const bool was_half_closed = is_half_closed();
  const base::Instant head_began = responder_.head_began();
  const auto outcome = responder_.run(arrival_.socket, base::direction_budget_bytes, context.now);
  // What comes after our FIN is dropped, and keeps nobody waiting.
  if (responder_.bytes_received() != received && !was_half_closed) last_activity_ = context.now;
  account(responder_.bytes_sent_by_copy() - copied,
          responder_.bytes_sent_by_sendfile() - by_sendfile, context);
  if (is_half_closed() && !was_half_closed) last_activity_ = context.now;
  if (is_half_closed() != was_half_closed || responder_.head_began() != head_began)
    arm_deadlines(context);
  switch (outcome) {
    case files::Outcome::wait_readable:
    case files::Outcome::wait_writable: return Next::wait;
    case files::Outcome::hungry: return Next::hungry;
    case files::Outcome::finished: return finish(CloseReason::complete, Ending::fin, context);
    case files::Outcome::socket_failed:
      return finish(reason_of_failure(0, responder_.error()), Ending::reset, context);
    case files::Outcome::file_failed: return begin_abort(CloseReason::upstream_reset, context);
    case files::Outcome::no_memory: return begin_abort(CloseReason::overload, context);
  }
  PENSTOCK_ASSERT(false);
}

void FileSession::account(std::uint64_t copied, std::uint64_t by_sendfile,
                          Context& context) noexcept {
  if (copied + by_sendfile == 0) return;
  if (first_byte_ == Record::unknown) first_byte_ = context.now - arrival_.at;
  context.counters.listeners[arrival_.listener->index].bytes[to_client].add(copied + by_sendfile);
  context.counters.sendfile_bytes.add(by_sendfile);
  context.relay.counters().moved(relay::Engine::copy, copied);
  note_activity(context);
}

bool FileSession::is_at_rest() const noexcept {
  return (responder_.is_idle() || responder_.has_finished_sending()) &&
         os::unread_bytes(arrival_.socket).value_or(0) == 0;
}

// Of the head of a request, counted from its first byte: a client that goes on byte by byte would
// hold its memory for ever.
base::Instant FileSession::own_deadline() const noexcept {
  const base::Instant began = responder_.head_began();
  if (began == base::never) return base::never;
  return std::min(began + files::request_head_within, base::deadline_after(began, timeouts().idle));
}

bool FileSession::check_peers(Context& context) noexcept {
  if (find_dead_peer({arrival_.socket, -1}, context)) failed_ = true;
  return !failed_;
}

Next FileSession::expired(Context& context) noexcept {
  if (context.now >= context.drain_deadline)
    return finish(CloseReason::drain, Ending::reset, context);
  if (phase_ == Phase::aborting) return run_aborting(context);
  if (context.now >= own_deadline()) return head_is_late(context);
  return check_deadlines(context);
}

// The answer, and what comes after it, has a time of its own.
Next FileSession::head_is_late(Context& context) noexcept {
  if (!responder_.give_up_waiting()) return begin_abort(CloseReason::overload, context);
  last_activity_ = context.now;
  arm_deadlines(context);
  return run_responder(context);
}

void FileSession::begin_drain(base::Instant turn, Context& context) noexcept {
  drain_turn_ = {turn, context.now};
  responder_.end_with_next_answer();
  if (phase_ == Phase::serving) arm_deadlines(context);
}

void FileSession::cut(Context& context) noexcept {
  finish(CloseReason::drain, Ending::reset, context);
}

Next FileSession::end_by_fin(CloseReason reason, Context& context) noexcept {
  return finish(reason, Ending::fin, context);
}

Next FileSession::end_in_time(CloseReason reason, Context& context) noexcept {
  if (responder_.is_idle() && !failed_) return finish(reason, Ending::fin, context);
  return begin_abort(reason, context);
}

Next FileSession::begin_abort(CloseReason reason, Context& context) noexcept {
  phase_ = Phase::aborting;
  reason_ = reason;
  linger_.begin(context.now + timeouts().abort_linger, context.now);
  return run_aborting(context);
}

Next FileSession::run_aborting(Context& context) noexcept {
  const bool owes_bytes = !failed_ && os::unacknowledged_bytes(arrival_.socket) > 0;
  if (linger_.goes_on(owes_bytes, *this, context)) return Next::wait;
  return finish(reason_, Ending::reset, context);
}

Next FileSession::finish(CloseReason reason, Ending ending, Context& context) noexcept {
  PENSTOCK_ASSERT(phase_ != Phase::ended);
  phase_ = Phase::ended;
  context.timers.disarm(*this);
  if (reason == CloseReason::drain && ending == Ending::reset) context.counters.cut.add();
  Record record;
  record.first_byte = first_byte_;
  record.bytes[to_client][static_cast<std::size_t>(relay::Engine::copy)] =
      responder_.bytes_sent_by_copy();
  record.sent_by_sendfile = responder_.bytes_sent_by_sendfile();
  record.truncated_to_client = responder_.owes_answer();
  note_kernel_figures(record, arrival_, 0, arrival_.socket, context);
  if (ending == Ending::reset) os::reset_on_close(arrival_.socket);
  context.poller.close(arrival_.socket);
  closed(arrival_, reason, record, context);
  return Next::ended;
}

}  // namespace penstock::session

#include "session/file_session.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "os/socket.hpp"
#include "relay/counters.hpp"
#include "session/admission.hpp"
#include "session/context.hpp"
#include "session/counters.hpp"

namespace penstock::session {

FileSession::~FileSession() {
  PENSTOCK_ASSERT(ended_);
}

Next FileSession::start(Context& context) noexcept {
  opened(arrival_, context);
  if (arrival_.over_limit) return finish(CloseReason::connection_limit, true, context);
  if (context.poller.add(arrival_.socket, token(0), os::Poller::Reads::announced))
    return finish(CloseReason::overload, true, context);
  last_activity_ = context.now;
  arm(context);
  return Next::wait;
}

// The responder asks the socket itself whenever it runs.
void FileSession::note(unsigned, const os::Event&, Context&) noexcept {}

Next FileSession::run(Context& context) noexcept {
  const std::uint64_t received = responder_.bytes_received();
  const std::uint64_t copied = responder_.bytes_sent_by_copy();
  const std::uint64_t by_sendfile = responder_.bytes_sent_by_sendfile();
  const bool had_finished = responder_.has_finished_sending();
  const auto outcome = responder_.run(arrival_.socket, base::direction_budget_bytes, context.now);
  if (responder_.bytes_received() != received) last_activity_ = context.now;
  account(responder_.bytes_sent_by_copy() - copied,
          responder_.bytes_sent_by_sendfile() - by_sendfile, context);
  if (responder_.has_finished_sending() && !had_finished) {
    last_activity_ = context.now;
    arm(context);  // from here on half_close_timeout holds
  }
  switch (outcome) {
    case files::Outcome::wait_readable:
    case files::Outcome::wait_writable: return Next::wait;
    case files::Outcome::hungry: return Next::hungry;
    case files::Outcome::finished: return finish(CloseReason::complete, false, context);
    case files::Outcome::failed: return finish(CloseReason::client_reset, true, context);
    case files::Outcome::gave_up: return finish(CloseReason::internal, true, context);
  }
  PENSTOCK_ASSERT(false);
}

void FileSession::account(std::uint64_t copied, std::uint64_t by_sendfile,
                          Context& context) noexcept {
  if (copied + by_sendfile == 0) return;
  last_activity_ = context.now;
  if (first_byte_ == Record::unknown) first_byte_ = context.now - arrival_.at;
  context.counters.listeners[arrival_.listener->index].bytes[to_client].add(copied + by_sendfile);
  context.counters.sendfile_bytes.add(by_sendfile);
  context.relay.counters().moved(relay::Engine::copy, copied);
}

base::Instant FileSession::idle_deadline() const noexcept {
  const Timeouts& timeouts = arrival_.listener->options.timeouts;
  const auto idle = base::deadline_after(last_activity_, timeouts.idle);
  if (!responder_.has_finished_sending()) return idle;
  return std::min(idle, base::deadline_after(last_activity_, timeouts.half_close));
}

void FileSession::arm(Context& context) noexcept {
  context.timers.arm(*this, std::min({idle_deadline(), drain_turn_, context.drain_deadline}));
}

Next FileSession::expired(Context& context) noexcept {
  if (context.now >= context.drain_deadline) return finish(CloseReason::drain, true, context);
  if (context.now >= drain_turn_) {
    if (responder_.is_idle()) return finish(CloseReason::drain, false, context);
    responder_.close_after_response();
    drain_turn_ = base::never;
  }
  if (context.now >= idle_deadline() && responder_.give_up_waiting()) {
    last_activity_ = context.now;  // the answer, and what comes after it, has a time of its own
    arm(context);
    return run(context);
  }
  if (context.now >= idle_deadline())
    return finish(responder_.has_finished_sending() ? CloseReason::half_close_timeout
                                                    : CloseReason::idle_timeout,
                  !responder_.is_idle(), context);
  arm(context);
  return Next::wait;
}

void FileSession::begin_drain(base::Instant turn, Context& context) noexcept {
  drain_turn_ = turn;
  arm(context);
}

void FileSession::cut(Context& context) noexcept {
  finish(CloseReason::drain, true, context);
}

Next FileSession::finish(CloseReason reason, bool reset, Context& context) noexcept {
  PENSTOCK_ASSERT(!ended_);
  ended_ = true;
  context.timers.disarm(*this);
  Record record;
  record.first_byte = first_byte_;
  record.bytes[to_client][static_cast<std::size_t>(relay::Engine::copy)] =
      responder_.bytes_sent_by_copy();
  record.sent_by_sendfile = responder_.bytes_sent_by_sendfile();
  note_kernel_figures(record, arrival_, 0, arrival_.socket, context);
  if (reset) os::reset_on_close(arrival_.socket);
  context.poller.close(arrival_.socket);
  closed(arrival_, reason, record, context);
  return Next::ended;
}

}  // namespace penstock::session

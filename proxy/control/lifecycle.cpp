#include "control/lifecycle.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <new>
#include <utility>

#include "io/work.hpp"
#include "os/clock.hpp"
#include "os/topology.hpp"
#include "report/totals.hpp"
#include "runtime/server.hpp"
#include "runtime/views.hpp"
#include "session/close_reason.hpp"

namespace penstock::control {

namespace {

constexpr base::Duration tick_interval = std::chrono::seconds{1};
constexpr base::Duration drain_look_interval = std::chrono::milliseconds{20};

// The forwarders themselves reset what is left at the timeout; control helps where one does not.
// All this and the flush of the logs, which may take a tenth more, have their place in one second.
constexpr base::Duration drain_margin = std::chrono::milliseconds{200};
constexpr base::Duration cut_patience = std::chrono::milliseconds{300};
constexpr base::Duration end_patience = std::chrono::milliseconds{900};
constexpr base::Duration stop_patience = base::drain_handshake_settle + std::chrono::seconds{2};
constexpr base::Duration stop_patience_least =
    base::drain_handshake_settle + std::chrono::milliseconds{100};
static_assert(stop_patience_least + drain_margin + cut_patience < end_patience,
              "also a drain without any timeout keeps its bound");

}  // namespace

Lifecycle::Lifecycle(const Parts& parts)
    : parts_{parts},
      pump_{parts.io, parts.server, parts.access_log, parts.upstreams},
      numa_watch_{os::numa_topology().nodes.size() > 1},
      listener_stop_{parts.io, parts.registry, parts.server},
      stage_timer_{parts.io},
      tick_timer_{parts.io} {
  parts_.signals.listen([this](Signal signal, const char* name) { on_signal(signal, name); });
}

bool Lifecycle::run() {
  parts_.server.start(parts_.confinement.locks());
  if (!lock()) return false;
  enter(Stage::ready);
  pump_.start();
  tick();
  if (is_wanted_to_end()) begin_drain(drain_asked_by_);
  if (stop_signals_ > 1) cut();
  io::run_work(parts_.io, own_watch_);
  parts_.server.stop();
  pump_.take_all();
  if (const std::uint64_t lost = lines_lost(); lost > 0)
    parts_.log.warning(fmt::format("{} lines of the access log were lost", lost));
  tell_refusals();
  return true;
}

// The last thread to give up what only a start needs.
bool Lifecycle::lock() {
  const std::string fault = parts_.confinement.lock_calls();
  if (fault.empty()) return true;
  if (!parts_.confinement.is_strict()) {
    parts_.log.warning(fault + ": penstock goes on without");
    return true;
  }
  parts_.log.error(fault);
  parts_.server.stop();
  return false;
}

void Lifecycle::tell_refusals() {
  for (const std::string& sentence : Confinement::refusals()) parts_.log.warning(sentence);
  if (unlocked_told_) return;
  for (const auto& thread : parts_.server.threads()) {
    if (thread.seen.lock_refusal == 0) continue;
    unlocked_told_ = true;
    parts_.log.warning(fmt::format("{} runs without the sandbox: the kernel refused it ({})",
                                   thread.name,
                                   base::error_from(thread.seen.lock_refusal).message()));
  }
}

void Lifecycle::on_signal(Signal signal, const char* name) {
  switch (signal) {
    case Signal::stop: return stop(name);
    case Signal::reopen_logs:
      return parts_.log.info(fmt::format("{}: {}", name,
                                         parts_.access_log.reopen()
                                             ? "the access log is opened again by its name"
                                             : "there is no log file to open again"));
    case Signal::reload:
    case Signal::upgrade:
      return parts_.log.warning(fmt::format("{}: ignored, this version cannot do that yet", name));
  }
}

void Lifecycle::stop(const char* signal_name) {
  ++stop_signals_;
  if (stage_ >= Stage::cutting) return;
  if (stop_signals_ > 1) {
    parts_.log.warning(fmt::format("{} again: the drain ends at once", signal_name));
    return stage_ == Stage::starting ? void() : cut();
  }
  if (!is_wanted_to_end()) return begin_drain(signal_name);
  parts_.log.info(fmt::format("{}: the drain that {} began goes on; another signal ends it at once",
                              signal_name, drain_asked_by_));
}

void Lifecycle::enter(Stage stage) {
  stage_ = stage;
  parts_.log.info(
      fmt::format("{}; connections: {}", stage_names[stage], parts_.server.connections_active()));
}

void Lifecycle::begin_drain(std::string_view asked_by) {
  if (stage_ >= Stage::grace) return;
  drain_asked_by_ = asked_by;
  const auto& [grace, timeout] = parts_.server.spec().runtime.drain;
  if (cut_at_ == base::never) cut_at_ = os::now() + grace + timeout;
  if (stage_ == Stage::starting) return;  // no thread is there yet that could stop accepting
  ended_before_drain_ = connections_ended();
  parts_.log.info(fmt::format("{}: the drain begins", asked_by));
  if (grace.count() == 0) return stop_accepting();
  enter(Stage::grace);
  stage_timer_.set(grace, [this] {
    if (stage_ == Stage::grace) stop_accepting();
  });
}

void Lifecycle::stop_accepting() {
  enter(Stage::stopping);
  const auto go_on = [this] {
    if (stage_ == Stage::stopping) drain_connections();
  };
  listener_stop_.begin(go_on, [this] {
    queues_empty_ = true;
    if (when_closed_) when_closed_();
  });
  stage_timer_.set(std::clamp(cut_at_ - os::now(), stop_patience_least, stop_patience), go_on);
}

void Lifecycle::drain_connections() {
  enter(Stage::draining);
  const base::Duration left = std::max(cut_at_ - os::now(), base::Duration{0});
  parts_.server.begin_drain(left);
  wait_for_the_last_one(os::now() + left + drain_margin, &Lifecycle::cut);
}

// Goes on to `then` when no connection is left or the deadline has passed.
void Lifecycle::wait_for_the_last_one(base::Instant deadline, void (Lifecycle::*then)()) {
  // Between the last connection and the next one of a queue that waited for its place there is
  // none.
  const bool all_came = queues_empty_ || stage_ == Stage::cutting;
  const bool nobody_left = all_came && parts_.server.connections_active() == 0;
  if (nobody_left || os::now() >= deadline) return (this->*then)();
  // A look that was queued before the stage changed is not cancelled any more.
  stage_timer_.set(drain_look_interval, [this, deadline, then, stage = stage_] {
    if (stage_ == stage) wait_for_the_last_one(deadline, then);
  });
}

void Lifecycle::cut() {
  cut_at_ = std::min(cut_at_, os::now());
  if (parts_.server.connections_active() == 0) return finish();
  enter(Stage::cutting);
  parts_.server.cut_connections();
  wait_for_the_last_one(os::now() + cut_patience, &Lifecycle::finish);
}

base::Instant Lifecycle::ends_by() const noexcept {
  return std::min(cut_at_, os::now()) + end_patience;
}

void Lifecycle::at_end(std::function<void(const admin::DrainEnd&)> told) {
  if (stage_ == Stage::stopped) return told(drain_end());
  at_end_.push_back(std::move(told));
}

// Those who wait are told, and write what they answer, before the loop ends.
void Lifecycle::finish() {
  enter(Stage::stopped);
  const admin::DrainEnd end = drain_end();
  for (const auto& told : std::exchange(at_end_, {})) told(end);
  io::call_later(parts_.io, [&io = parts_.io] { io::stop_work(io); });
}

admin::DrainEnd Lifecycle::drain_end() const {
  admin::DrainEnd end;
  end.cut = report::session_totals(parts_.server.forwarders()).cut;
  const std::uint64_t ended = connections_ended() - ended_before_drain_;
  end.drained = ended - std::min(ended, end.cut);
  end.cut += parts_.server.connections_active();  // those that did not even end when they were cut
  return end;
}

std::uint64_t Lifecycle::connections_ended() const {
  return report::all_listeners(parts_.server.forwarders()).ended();
}

// It reads files, and a process that has no memory left must not end for that: the next second
// looks again.
void Lifecycle::look_at_placement(base::Instant now) {
  try {
    for (const std::string& warning : numa_watch_.look_at(parts_.server.threads()))
      parts_.log.warning(warning);
    if (const auto warning = ring_watch_.look_at(parts_.server.forwarders()))
      parts_.log.warning(*warning);
    if (!has_cpu_quota_) return;  // nor can it be throttled
    for (const std::string& warning : numa_watch_.look_at(os::cpu_throttling(), now))
      parts_.log.warning(warning);
  } catch (const std::bad_alloc&) {
    return;
  }
}

void Lifecycle::tick() {
  const base::Instant now = os::now();
  for (const std::string& warning : parts_.watch.tick(now)) parts_.log.warning(warning);
  if (const auto warning = own_watch_.look(now)) parts_.log.warning(*warning);
  look_at_placement(now);
  tell_refusals();
  if (const std::string error = parts_.access_log.take_error(); !error.empty())
    parts_.log.warning(error);
  warn_of_lost_lines(now);
  warn_of_overload(now);
  warn_of_pause(now);
  tick_timer_.set(tick_interval, [this] { tick(); });
}

std::uint64_t Lifecycle::lines_lost() const {
  return parts_.access_log.dropped() +
         report::session_totals(parts_.server.forwarders()).records_dropped;
}

std::uint64_t Lifecycle::closed_for_overload() const {
  return report::all_listeners(parts_.server.forwarders())
      .closed_for(session::CloseReason::overload);
}

void Lifecycle::warn_of_lost_lines(base::Instant now) {
  if (const std::uint64_t lost = lost_lines_.take_growth(lines_lost(), now); lost > 0)
    parts_.log.warning(
        fmt::format("{} lines of the access log were lost: its target does not take "
                    "them fast enough, or not at all",
                    lost));
}

void Lifecycle::warn_of_overload(base::Instant now) {
  if (const std::uint64_t reset = overload_.take_growth(closed_for_overload(), now); reset > 0)
    parts_.log.warning(fmt::format(
        "{} connections were reset with the reason overload: a descriptor, a watch or memory was "
        "missing for them; raise the limit (ulimit -n, fs.file-max, fs.epoll.max_user_watches, "
        "memory) or lower runtime.max_connections",
        reset));
}

void Lifecycle::warn_of_pause(base::Instant now) {
  if (!parts_.server.accepting_paused() || !pause_.take(now)) return;
  parts_.log.warning(fmt::format(
      "accepting is paused with {} of {} connections: clients wait in the backlog until there is "
      "room",
      parts_.server.connections_active(), parts_.server.connections_max()));
}

}  // namespace penstock::control

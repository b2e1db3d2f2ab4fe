#include "upstream/endpoint_life.hpp"

#include <algorithm>
#include <string>

#include "base/limits.hpp"
#include "base/times.hpp"

namespace penstock::upstream {

namespace {

// One that is under way and ends later stays.
void begin_ramp(LiveRecord& endpoint, base::Duration length, base::Instant now) {
  if (now + length <= endpoint.control.ramp_until) return;
  endpoint.control.ramp_from = now;
  endpoint.control.ramp_until = now + length;
}

base::Duration step_of(const LiveRecord::Control& control) {
  return (control.ramp_until - control.ramp_from) / ramp_steps;
}

base::Instant ejected_until(const LiveRecord& endpoint) {
  return base::Instant{base::Duration{endpoint.ejected_until.load(std::memory_order_acquire)}};
}

base::Instant cut_off_until(const LiveRecord& endpoint) {
  return base::Instant{base::Duration{endpoint.cut_off_until.load(std::memory_order_relaxed)}};
}

// Its next failure ejects it again; a success clears the account.
void return_from_ejection(Upstream& upstream, LiveRecord& endpoint, base::Instant now) {
  const ClusterSpec& spec = upstream.spec();
  if (spec.outlier)
    endpoint.failed_in_a_row.store(spec.outlier->consecutive_failures - 1,
                                   std::memory_order_relaxed);
  upstream.end_ejection(endpoint);
  endpoint.control.returned = now;
  begin_ramp(endpoint, std::max(spec.slow_start, return_ramp), now);
}

// It stayed in for twice as long as its last ejection lasted: the next one starts from the first.
base::Instant forget_ejections(const OutlierOptions& options, LiveRecord& endpoint,
                               base::Instant now) {
  const std::uint32_t in_a_row = endpoint.ejections_in_a_row.load(std::memory_order_relaxed);
  if (in_a_row == 0) return base::never;
  const base::Instant forgotten =
      endpoint.control.returned +
      base::times(options.ejection, std::int64_t{1} << std::min<std::uint64_t>(
                                        in_a_row, base::ejection_doublings_max + 1));
  if (now < forgotten) return forgotten;
  endpoint.ejections_in_a_row.store(0, std::memory_order_relaxed);
  return base::never;
}

}  // namespace

void enter(LiveRecord& endpoint, const ClusterSpec& spec, bool eases_in, base::Instant now) {
  const bool is_new = endpoint.control.since == base::Instant{};
  const bool goes_on = !is_new && endpoint.control.forget_at != base::never;
  endpoint.control.vanished = base::never;
  endpoint.control.forget_at = base::never;
  endpoint.drain_deadline.store(base::never.time_since_epoch().count(), std::memory_order_relaxed);
  endpoint.control.eases_in = eases_in;
  if (is_new) {
    endpoint.control.health = spec.health_check ? Health::unknown : Health::up;
    endpoint.control.health_why = spec.health_check ? "not checked yet" : "no check is configured";
    endpoint.control.since = now;
    endpoint.control.shown = endpoint.state();
  }
  if (eases_in && !goes_on) begin_ramp(endpoint, spec.slow_start, now);
}

void vanish(Upstream& upstream, LiveRecord& endpoint, base::Instant now, base::Instant forget_at) {
  if (endpoint.is_ejected()) endpoint.control.returned = now;
  upstream.end_ejection(endpoint);
  endpoint.is_first_choice.store(false, std::memory_order_relaxed);
  endpoint.control.vanished = now;
  endpoint.control.forget_at = forget_at;
}

void forget(LiveRecord& endpoint) {
  LiveRecord::Control& control = endpoint.control;
  control.forget_at = base::never;
  control.since = {};
  control.ramp_until = {};
  endpoint.failed_in_a_row.store(0, std::memory_order_relaxed);
  endpoint.ejections_in_a_row.store(0, std::memory_order_relaxed);
}

bool judge(LiveRecord& endpoint, const ClusterSpec& spec, Health health, std::string why,
           base::Instant now) {
  LiveRecord::Control& control = endpoint.control;
  control.health_why = std::move(why);
  if (control.health == health) return false;
  // Whoever was known to work before the proxy began needs no gentle start.
  const bool eases_in = control.health == Health::down || control.eases_in;
  control.health = health;
  if (health == Health::up && eases_in) begin_ramp(endpoint, spec.slow_start, now);
  return true;
}

bool command(LiveRecord& endpoint, const ClusterSpec& spec, Override said, base::Instant now) {
  if (endpoint.control.said == said) return false;
  endpoint.control.said = said;
  if (said == Override::up) begin_ramp(endpoint, spec.slow_start, now);
  return true;
}

base::Instant age(Upstream& upstream, LiveRecord& endpoint, base::Instant now) {
  base::Instant next = endpoint.is_cut_off(now) ? cut_off_until(endpoint) : base::never;
  if (endpoint.is_ejected()) {
    const base::Instant until = ejected_until(endpoint);
    if (now < until) return std::min(next, until);
    return_from_ejection(upstream, endpoint, now);
  }
  if (upstream.spec().outlier)
    next = std::min(next, forget_ejections(*upstream.spec().outlier, endpoint, now));
  const LiveRecord::Control& control = endpoint.control;
  if (now >= control.ramp_until) return next;
  const base::Duration step = step_of(control);
  const auto done = (now - control.ramp_from) / std::max(step, base::Duration{1});
  return std::min(next, control.ramp_from + step * (done + 1));
}

double ramp_at(const LiveRecord& endpoint, base::Instant now) {
  const LiveRecord::Control& control = endpoint.control;
  if (now >= control.ramp_until) return 1.0;
  const auto done = (now - control.ramp_from) / std::max(step_of(control), base::Duration{1});
  return static_cast<double>(std::min<std::int64_t>(done + 1, ramp_steps)) / ramp_steps;
}

std::string why_of(const LiveRecord& endpoint) {
  switch (endpoint.control.said) {
    case Override::drain: return "drained by an operator";
    case Override::down: return "taken down by an operator";
    case Override::up: break;
  }
  if (const auto fault = endpoint.known_host_fault())
    return host_fault_text(*fault) + ": others are picked first, asked again after " +
           std::to_string(host_fault_remembered / std::chrono::seconds{1}) + " s";
  if (!endpoint.is_ejected()) return endpoint.control.health_why;
  return std::to_string(endpoint.failed_in_a_row.load(std::memory_order_relaxed)) +
         " failures in a row";
}

std::string host_fault_text(ConnectFailure fault) {
  switch (fault) {
    case ConnectFailure::no_port: return "this host has no local port or address to connect from";
    case ConnectFailure::not_permitted:
      return "a firewall or policy of this host forbids connecting to it";
    default: return "this host has no route to it";
  }
}

}  // namespace penstock::upstream

#include "relay/counters.hpp"
#include "report/metrics/parts.hpp"
#include "runtime/round_times.hpp"
#include "session/counters.hpp"

#include <limits>

namespace penstock::report {

namespace {

using runtime::ForwarderView;

// From where to where each reason leads.
struct Turn {
  relay::Switch reason;
  relay::Engine from;
  relay::Engine to;
};
constexpr std::array<Turn, relay::switch_names.size()> turns{{
    {relay::Switch::large_reads, relay::Engine::copy, relay::Engine::splice},
    {relay::Switch::small_chunks, relay::Engine::splice, relay::Engine::copy},
    {relay::Switch::refused, relay::Engine::splice, relay::Engine::copy},
    {relay::Switch::no_pipe, relay::Engine::splice, relay::Engine::zerocopy},
    {relay::Switch::large_sends, relay::Engine::copy, relay::Engine::zerocopy},
    {relay::Switch::small_sends, relay::Engine::zerocopy, relay::Engine::copy},
    {relay::Switch::kernel_copied, relay::Engine::zerocopy, relay::Engine::copy},
    {relay::Switch::not_supported, relay::Engine::zerocopy, relay::Engine::copy},
}};

void add_engine_bytes(const MetricsInput& input, std::string& text) {
  Family bytes{text, Family::Kind::counter, "penstock_relay_bytes_total",
               "Bytes that a destination socket took, by forwarder and engine."};
  for (const auto& view : input.forwarders) {
    const auto add = [&](std::string_view engine, std::uint64_t value) {
      bytes.add({{"forwarder", std::to_string(view.index)}, {"engine", engine}}, value);
    };
    for (std::size_t engine = 0; engine < relay::engine_names.size(); ++engine)
      add(relay::engine_names.names[engine], view.relay.bytes[engine].value());
    add("sendfile", view.sessions.sendfile_bytes.value());
  }
}

void add_switches(const RelayTotals& totals, std::string& text) {
  Family switches{text, Family::Kind::counter, "penstock_relay_engine_switches_total",
                  "Directions that changed their engine, by reason."};
  for (const Turn& turn : turns)
    switches.add({{"from", relay::engine_names[turn.from]},
                  {"to", relay::engine_names[turn.to]},
                  {"reason", relay::switch_names[turn.reason]}},
                 totals.switches[static_cast<std::size_t>(turn.reason)]);
}

void add_pipes(const RelayTotals& totals, std::string& text) {
  Family pipes{text, Family::Kind::gauge, "penstock_pipes", "Open pipes, by state."};
  pipes.add({{"state", "leased"}}, totals.pipes_leased);
  pipes.add({{"state", "idle"}}, totals.pipes_idle);
  Family fallbacks{text, Family::Kind::counter, "penstock_pipe_fallbacks_total",
                   "Times that a direction wanted a pipe and copied instead, by reason."};
  for (std::size_t reason = 0; reason < relay::fallback_names.size(); ++reason)
    fallbacks.add({{"reason", relay::fallback_names.names[reason]}}, totals.fallbacks[reason]);
  Family degraded{text, Family::Kind::counter, "penstock_pipe_degraded_total",
                  "Pipes that the kernel made smaller than relay.pipe_size."};
  degraded.add({}, totals.pipes_degraded);
}

void add_zerocopy(const RelayTotals& totals, std::string& text) {
  Family sends{text, Family::Kind::counter, "penstock_zerocopy_sends_total",
               "Sends with MSG_ZEROCOPY that have had their notice, by what the kernel did."};
  sends.add({{"result", "copied"}}, totals.zerocopy_copied);
  sends.add({{"result", "not_copied"}}, totals.zerocopy_sends - totals.zerocopy_copied);
  Family fallbacks{text, Family::Kind::counter, "penstock_zerocopy_fallbacks_total",
                   "Times that a direction wanted to send with MSG_ZEROCOPY and could not."};
  for (std::size_t reason = 0; reason < relay::zerocopy_fallback_names.size(); ++reason)
    fallbacks.add({{"reason", relay::zerocopy_fallback_names.names[reason]}},
                  totals.zerocopy_fallbacks[reason]);
  Family abandoned{text, Family::Kind::counter, "penstock_zerocopy_abandoned_total",
                   "Buffers whose pages went to the kernel, because their connection ended first."};
  abandoned.add({}, totals.zerocopy_abandoned);
}

void add_rings(const MetricsInput& input, std::string& text) {
  Family rings{text, Family::Kind::gauge, "penstock_forwarder_ring",
               "1 where the forwarder's loop is io_uring, 0 where it is epoll."};
  for (const ForwarderView& view : input.forwarders)
    rings.add({{"forwarder", std::to_string(view.index)}}, view.ring_refusal == 0 ? 1.0 : 0.0);
}

void add_busy_ratios(const MetricsInput& input, std::string& text) {
  Family busy{text, Family::Kind::gauge, "penstock_forwarder_busy_ratio",
              "Share of the last second that a forwarder did not spend waiting."};
  for (std::size_t i = 0; i < input.forwarders.size(); ++i) {
    const auto& view = input.forwarders[i];
    busy.add({{"forwarder", std::to_string(view.index)},
              {"node", std::to_string(view.node)},
              {"cpu", view.cpu < 0 ? "any" : std::to_string(view.cpu)}},
             i < input.busy_ratios.size() ? input.busy_ratios[i] : 0.0);
  }
}

void add_local_ratio(const MetricsInput& input, std::string& text) {
  Family ratio{text, Family::Kind::gauge, "penstock_numa_local_ratio",
               "Share of the connections sampled (one in 16) whose packets came in on a CPU of "
               "their forwarder's node; NaN before the first."};
  ratio.add({}, input.numa_local_ratio.value_or(std::numeric_limits<double>::quiet_NaN()));
}

void add_numa_refusals(const MetricsInput& input, std::string& text) {
  Family refused{text, Family::Kind::gauge, "penstock_numa_refused",
                 "What the kernel refused at start: threads to pin, memory policies of threads, "
                 "arenas to place on a node."};
  refused.add({{"what", "pin"}}, static_cast<double>(input.numa_refusals.pins));
  refused.add({{"what", "policy"}}, static_cast<double>(input.numa_refusals.policies));
  refused.add({{"what", "arena"}}, static_cast<double>(input.numa_refusals.arenas));
}

void add_blocked_rounds(const MetricsInput& input, std::string& text) {
  Family blocked{text, Family::Kind::counter, "penstock_forwarder_blocked_total",
                 "Rounds of a forwarder's loop that took longer than 100 ms."};
  for (const ForwarderView& view : input.forwarders)
    blocked.add({{"forwarder", std::to_string(view.index)}}, view.rounds.blocked());
}

void add_stalls(const SessionTotals& sessions, std::string& text) {
  Family stalls{text, Family::Kind::counter, "penstock_stalls_detected_total",
                "Connections that slept though bytes were waiting and there was room; each was "
                "taken up again."};
  stalls.add({}, sessions.stalls);
}

}  // namespace

void add_relay_metrics(const MetricsInput& input, const SessionTotals& sessions,
                       std::string& text) {
  const RelayTotals totals = relay_totals(input.forwarders);
  add_engine_bytes(input, text);
  add_switches(totals, text);
  add_pipes(totals, text);
  add_zerocopy(totals, text);
  add_rings(input, text);
  add_busy_ratios(input, text);
  add_local_ratio(input, text);
  add_numa_refusals(input, text);
  add_blocked_rounds(input, text);
  add_stalls(sessions, text);
}

}  // namespace penstock::report

#include "session/accounting.hpp"

#include "os/clock.hpp"
#include "os/socket.hpp"
#include "os/tcp_info.hpp"

namespace penstock::session {

namespace {

// Without a log, the kernel's figures of so many connections are enough for the histograms.
constexpr std::uint64_t sampled_one_in = 16;

void send_record(const Arrival& arrival, Record& record, Record::Event event,
                 Context& context) noexcept {
  record.event = event;
  record.forwarder = context.forwarder;
  record.node = context.node;
  record.listener = arrival.listener->index;
  record.is_static = arrival.listener->site != nullptr;
  record.id = arrival.id;
  record.client = arrival.peer;
  record.wall_nanoseconds = os::wall_clock_nanoseconds();
  if (!context.records.try_push(std::move(record))) context.counters.records_dropped.add();
}

}  // namespace

// The ids are consecutive; a multiplication by the golden ratio spreads them evenly (Knuth, "The
// Art of Computer Programming", 6.4), so that a sample of 10 % is not every tenth in a row.
bool LogSwitches::sampled(std::uint64_t id) const noexcept {
  const auto spread = static_cast<std::uint32_t>((id * 0x9e37'79b9'7f4a'7c15) >> 32);
  return static_cast<double>(spread) < sample * 0x1p32;
}

void opened(const Arrival& arrival, Context& context) noexcept {
  context.counters.listeners[arrival.listener->index].accepted.add();
  if (!context.log.open || !context.log.sampled(arrival.id)) return;
  Record record;
  record.local = os::local_endpoint(arrival.socket);
  send_record(arrival, record, Record::Event::open, context);
}

void closed(const Arrival& arrival, CloseReason reason, Record& record, Context& context) noexcept {
  ListenerCounters& counters = context.counters.listeners[arrival.listener->index];
  counters.closed[static_cast<std::size_t>(reason)].add();
  counters.truncated[to_upstream].add(record.truncated_to_upstream ? 1 : 0);
  counters.truncated[to_client].add(record.truncated_to_client ? 1 : 0);
  record.duration = context.now - arrival.at;
  counters.duration.record(record.duration);
  arrival.listener->active.fetch_sub(1, std::memory_order_relaxed);
  if (!context.log.close || !context.log.sampled(arrival.id)) return;
  record.reason = reason;
  send_record(arrival, record, Record::Event::close, context);
}

void note_kernel_figures(Record& record, const Arrival& arrival, unsigned side, int socket,
                         Context& context) noexcept {
  const bool logged = context.log.close && context.log.sampled(arrival.id);
  if (socket < 0 || (!logged && arrival.id % sampled_one_in != 0)) return;
  if (logged) record.unacked_at_close += os::unacknowledged_bytes(socket);
  if (logged && side == 0) record.local = os::local_endpoint(socket);
  const auto info = os::tcp_info(socket);
  if (!info) return;
  record.retransmits += info->retransmits;
  context.counters.retransmits[side].add(info->retransmits);
  if (info->rtt.count() == 0) return;
  context.counters.rtt[side].record(info->rtt);
  (side == 0 ? record.client_rtt : record.upstream_rtt) = info->rtt;
}

}  // namespace penstock::session

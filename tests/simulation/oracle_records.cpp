// Records, and what must have happened at the end.

#include <numeric>
#include <string>

#include "simulation/oracle.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

namespace {
std::string describe(const Connection& connection) {
  std::string text;
  for (const auto& end : connection.ends) {
    if (!end) continue;
    text += end->side == 0 ? "client" : ", upstream";
    text += end->state == Socket::State::dead ? " dead" : "";
    text += end->fin_received ? " FIN in" : "";
    text += end->fin_sent ? " FIN out" : "";
    text += end->closed ? " closed" : "";
    text += " unread " + std::to_string(end->unread()) + " room " + std::to_string(end->room());
  }
  return text;
}
}  // namespace

void Oracle::collect_records() {
  session::Record record;
  while (rig_.forwarder.records().try_pop(record)) check_record(record);
}

void Oracle::check_record(const session::Record& record) {
  if (record.event != session::Record::Event::close) return;
  const auto number = static_cast<int>(record.id);
  Connection& connection = *run_.connections[record.id];
  if (connection.recorded) violated("every connection has one record", number, "a second came");
  connection.recorded = true;
  ++tally_.reasons[static_cast<std::size_t>(record.reason)];
  attempts_recorded_ += record.attempts;
  for (unsigned d = 0; d < 2; ++d) {
    const auto& source = connection.ends[d];
    const auto& target = connection.ends[1 - d];
    const std::uint64_t sent = target ? target->sent : 0;
    const auto& bytes = record.bytes[d];
    for (std::size_t i = 0; i < bytes.size(); ++i) tally_.bytes[i] += bytes[i];
    if (std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0}) != sent)
      violated("the record counts every byte", number, "direction " + std::to_string(d));
    const bool lost = source && source->read != sent;
    if (lost != (d == 0 ? record.truncated_to_upstream : record.truncated_to_client))
      violated("the record says what was lost", number, "direction " + std::to_string(d));
  }
  const bool complete = record.reason == session::CloseReason::complete;
  if (!complete && !connection.disturbed)
    violated("what nobody disturbed is complete", number,
             std::string{session::close_reason_names[record.reason]});
  if (complete && !is_whole(connection))
    violated("complete means that all bytes and both FINs went through", number, "they did not");
}

bool Oracle::is_whole(const Connection& connection) const {
  for (unsigned side = 0; side < 2; ++side) {
    const Socket& target = *connection.ends[side];
    // A peer may reset between the last byte and the FIN; it lost nothing.
    const bool finished = target.fin_sent || target.state == Socket::State::dead;
    if (!finished || target.sent != connection.peers[1 - side].to_send) return false;
  }
  return true;
}

void Oracle::check_rest() {
  collect_records();
  for (std::size_t i = 0; i < run_.connections.size(); ++i)
    if (!run_.connections[i]->recorded)
      violated("when the faults are healed, everything ends", static_cast<int>(i),
               "the loop sleeps for ever and this connection is still there: " +
                   describe(*run_.connections[i]));
}

void Oracle::check_end() const {
  for (std::size_t i = 0; i < run_.connections.size(); ++i)
    if (!run_.connections[i]->recorded)
      violated("every connection has one record", static_cast<int>(i), "none came");
  check_attempts();
  rig_.check_given_back();
  if (rig_.forwarder.rounds().blocked() != rig_.kernel.long_rounds())
    violated("the watchdog counts every long round", -1,
             std::to_string(rig_.forwarder.rounds().blocked()) + " of " +
                 std::to_string(rig_.kernel.long_rounds()));
  if (run_.plan.conditions.lost_in == 0 && rig_.forwarder.session_counters().stalls.value() != 0)
    violated("who does not stall is not said to", -1, "a stall was counted");
}

}  // namespace penstock::simulation

#include "session/relaying.hpp"

#include "session/context.hpp"
#include "upstream/live_record.hpp"

namespace penstock::session {

Relaying::Relaying(const Proxied& connection, base::Instant stood, base::Instant now) noexcept
    : connect_time_{stood - connection.arrival().at} {
  for (unsigned d = 0; d < directions_.size(); ++d) note_moved(d, now);
}

Relaying::Outcome Relaying::run(Proxied& connection, Context& context) noexcept {
  auto& sides = connection.sides;
  const bool was_half_closed = is_half_closed();
  bool hungry = false;
  bool starved = false;
  for (unsigned d = 0; d < directions_.size(); ++d) {
    const auto run = directions_[d].run(sides[d], sides[1 - d], context.relay);
    account(d, run.bytes, connection, context);
    connection.trace_run(d, run, context);
    if (d == to_upstream && !connection.no_delay_is_on && !wrote_once(run)) connection.end_delay();
    hungry = hungry || run.outcome == relay::Outcome::hungry;
    starved = starved || run.outcome == relay::Outcome::no_buffer;
  }
  if (sides[Proxied::client].failed || sides[Proxied::upstream].failed) return Outcome::failed;
  if (directions_[to_upstream].finished() && directions_[to_client].finished())
    return Outcome::complete;
  if (is_half_closed() != was_half_closed) {
    connection.last_activity_ = context.now;
    connection.arm_deadlines(context);
  }
  if (hungry) return Outcome::hungry;
  return starved ? Outcome::starved : Outcome::waits;
}

// To the upstream, if ever, with all of its runs: of one call Nagle's rule holds nothing back, and
// what it holds back of a second one is sent by os::send_at_once(). A splice counts as several, for
// the kernel sends what it moves in parts.
bool Relaying::wrote_once(const relay::Direction::Run& run) const noexcept {
  const relay::Direction& direction = directions_[to_upstream];
  return run.writes == 0 || (run.writes == 1 && direction.bytes() == run.bytes &&
                             direction.bytes_by(relay::Engine::splice) == 0);
}

void Relaying::account(unsigned direction, std::size_t bytes, Proxied& connection,
                       Context& context) noexcept {
  if (bytes == 0) return;
  note_moved(direction, context.now);
  const Arrival& arrival = connection.arrival();
  context.counters.listeners[arrival.listener->index].bytes[direction].add(bytes);
  if (direction == to_client && !has_first_byte()) {
    first_byte_ = context.now - arrival.at;
    connection.to().note_success(connection.endpoint());
  }
  connection.note_activity(context);
}

void Relaying::take_notices(unsigned side, Proxied& connection, Context& context) noexcept {
  directions_[1 - side].take_notices(connection.sides[side], context.relay);
}

bool Relaying::is_half_closed() const noexcept {
  return directions_[to_upstream].finished() || directions_[to_client].finished();
}

// After its FIN was passed on a side is not read any more, and events keep calling it readable.
bool Relaying::is_at_rest(const Proxied& connection) const noexcept {
  for (unsigned d = 0; d < directions_.size(); ++d)
    if (directions_[d].holds_bytes() || (connection.sides[d].readable && !directions_[d].dry()))
      return false;
  return true;
}

void Relaying::discard(Proxied& connection, Context& context) noexcept {
  for (unsigned d = 0; d < directions_.size(); ++d)
    directions_[d].discard(connection.sides[d], connection.sides[1 - d], context.relay);
}

void Relaying::end(Record& record, Context& context) noexcept {
  // To the microsecond, as they were: what is finer is the float's.
  record.connect = std::chrono::round<std::chrono::microseconds>(connect_time_);
  if (has_first_byte())
    record.first_byte = std::chrono::round<std::chrono::microseconds>(first_byte_);
  record.truncated_to_upstream = directions_[to_upstream].lost_bytes();
  record.truncated_to_client = directions_[to_client].lost_bytes();
  for (std::size_t direction = 0; direction < directions_.size(); ++direction)
    for (std::size_t engine = 0; engine < relay::engine_names.size(); ++engine)
      record.bytes[direction][engine] =
          directions_[direction].bytes_by(static_cast<relay::Engine>(engine));
  for (auto& direction : directions_) direction.end(context.relay);
}

}  // namespace penstock::session

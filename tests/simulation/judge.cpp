// The invariants: what may go out, when, and what must have happened at the end.

#include <algorithm>
#include <cstring>
#include <numeric>

#include "simulation/world.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PENSTOCK_ADDRESS_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define PENSTOCK_ADDRESS_SANITIZED
#endif
#ifdef PENSTOCK_ADDRESS_SANITIZED
#include <sanitizer/asan_interface.h>
#endif

namespace penstock::simulation {

namespace {
constexpr std::size_t content_period = 65'521;  // a prime: no buffer or pipe size is a multiple
constexpr std::size_t content_overlap = 1 << 18;

// Only the address sanitizer knows, and would end the run before the invariant is named.
bool is_freed([[maybe_unused]] std::span<const std::byte> bytes) {
#ifdef PENSTOCK_ADDRESS_SANITIZED
  return __asan_region_is_poisoned(const_cast<std::byte*>(bytes.data()), bytes.size()) != nullptr;
#else
  return false;
#endif
}
}  // namespace

// Every byte of a run comes from one pseudo-random tape; each stream begins elsewhere on it, so a
// byte of another connection, or of another place, is a wrong byte.
void World::prepare_content() {
  Random tape{1};
  content_.resize(content_period + content_overlap);
  for (std::size_t i = 0; i < content_period; ++i)
    content_[i] = static_cast<std::byte>(tape.next() & 0xff);
  for (std::size_t i = content_period; i < content_.size(); ++i)
    content_[i] = content_[i - content_period];
}

const std::byte* World::content_at(int connection, unsigned side, std::uint64_t offset) const {
  const auto begin = static_cast<std::uint64_t>(connection) * 7919 + side * 104'729;
  return content_.data() + (begin + offset) % content_period;
}

void World::fill(std::span<std::byte> into, int connection, unsigned side, std::uint64_t offset) {
  std::memcpy(into.data(), content_at(connection, side, offset), into.size());
}

void World::sends(const Socket& target, std::span<const std::byte> bytes) {
  const Socket& source = *of(target).ends[1 - target.side];
  if (target.sent + bytes.size() > source.read)
    violated("output is a prefix of input", target.connection, "more goes out than came in");
  const std::byte* expected = content_at(target.connection, source.side, target.sent);
  if (std::memcmp(bytes.data(), expected, bytes.size()) != 0)
    violated("output is a prefix of input", target.connection,
             "wrong bytes at offset " + std::to_string(target.sent));
}

void World::unchanged(const Socket& target, std::span<const std::byte> bytes,
                      std::uint64_t offset) {
  if (is_freed(bytes))
    violated("memory is left alone until its notice", target.connection,
             "what was sent at offset " + std::to_string(offset) + " has been freed");
  const std::byte* expected = content_at(target.connection, 1 - target.side, offset);
  if (std::memcmp(bytes.data(), expected, bytes.size()) != 0)
    violated("memory is left alone until its notice", target.connection,
             "what was sent at offset " + std::to_string(offset) + " has changed");
}

void World::splices(const Socket& target, int connection, unsigned side, std::uint64_t offset) {
  if (connection != target.connection || side == target.side)
    violated("no byte bears another connection's tag", target.connection,
             "a pipe brought bytes of connection " + std::to_string(connection));
  if (offset != target.sent)
    violated("output is a prefix of input", target.connection,
             "offset " + std::to_string(offset) + " goes out at " + std::to_string(target.sent));
}

void World::holds(const Socket& source) {
  const auto& target = of(source).ends[1 - source.side];
  const std::uint64_t held = source.read - (target ? target->sent : 0);
  if (held > std::max(plan_.relay.buffer_bytes, plan_.relay.pipe_bytes))
    violated("bytes held stay within their bound", source.connection,
             std::to_string(held) + " bytes were read and not sent");
}

// The rule of every edge-triggered loop: who could go on is never asleep. A target below a third of
// room is waited for; whoever was disturbed may be on its way to a reset.
void World::sleeps() {
  check_places();
  if (plan_.conditions.lost_in != 0) return;  // there the stall sampler is what is tested
  for (const auto& connection : connections_) {
    if (connection->recorded || connection->disturbed || !connection->ends[1]) continue;
    for (unsigned side = 0; side < 2; ++side) {
      const Socket& source = *connection->ends[side];
      const Socket& target = *connection->ends[1 - side];
      if (!connection->ends[1]->asked || source.closed || target.fin_sent) continue;
      const bool has_room = 3 * target.room() >= target.send_capacity && !target.met_full;
      const bool bytes_wait = source.unread() > 0 && has_room;
      const bool fin_waits = source.fin_received && target.sent == source.arrived;
      if (bytes_wait || fin_waits)
        violated("who could go on is not asleep", source.connection,
                 std::to_string(source.unread()) + " bytes wait on side " + std::to_string(side));
    }
  }
}

// No endpoint has more than its limit allows, and nobody stands in line while a place is free at
// one that this host can go to.
void World::check_places() const {
  if (plan_.places == 0) return;
  const auto& endpoints = listener_.upstream->cluster().endpoints();
  bool any_free = false;
  for (const auto& endpoint : endpoints) {
    const std::uint32_t active = endpoint.live->active.load();
    if (active > plan_.places)
      violated("an endpoint has no more connections than it allows", -1, std::to_string(active));
    any_free = any_free || (active < plan_.places && !endpoint.live->known_host_fault());
  }
  if (any_free && listener_.upstream->queue().length() > 0)
    violated("nobody waits in line while a place is free", -1,
             std::to_string(listener_.upstream->queue().length()) + " wait");
}

// A deadline is served, however busy the others are: within a few waits. A lifetime has a jitter of
// 10 %, and ends whom the upstream has answered; before that connecting has its own timeout.
void World::waits() {
  if (!plan_.crowd) return;
  constexpr unsigned late_waits_max = 20;
  constexpr auto ticks = std::chrono::milliseconds{2};
  const auto late = [&](const auto& connection) {
    const auto& upstream = connection->ends[1];
    if (connection->recorded || !upstream || !upstream->asked || upstream->closed) return false;
    const base::Instant due = connection->begun + plan_.timeouts.max_lifetime * 11 / 10;
    return kernel_.now() - std::max(due, upstream->asked_at) > ticks;
  };
  const auto found = std::find_if(connections_.begin(), connections_.end(), late);
  late_waits_ = found == connections_.end() ? 0 : late_waits_ + 1;
  if (late_waits_ > late_waits_max)
    violated("a deadline is served though others are busy",
             static_cast<int>(found - connections_.begin()),
             "its lifetime passed " + std::to_string(late_waits_) + " waits ago");
}

void World::registered(const std::shared_ptr<Socket>& socket, std::uint64_t token) {
  if (socket->connection < 0) {
    // A session's two tokens differ in the last bit: session/session.hpp.
    for (std::size_t i = connections_.size(); i-- > 0 && socket->connection < 0;)
      if (!connections_[i]->recorded && connections_[i]->token == token >> 1)
        socket->connection = static_cast<int>(i);
    if (socket->connection < 0)
      violated("a socket belongs to a live session", -1, "token " + std::to_string(token));
    socket->side = 1;
    of(*socket).ends[1] = socket;
  }
  of(*socket).token = token >> 1;
}

void World::call_failed(const Socket* socket) {
  if (socket != nullptr && socket->connection >= 0) {
    of(*socket).disturbed = true;
    return;
  }
  // A connect() that fails at once: whose it was is not known here.
  for (auto& connection : connections_)
    if (connection->ends[1] == nullptr || connection->ends[1]->closed) connection->disturbed = true;
}

void World::finishes(const Socket& target) {
  const auto& source = of(target).ends[1 - target.side];
  const bool all = source && source->read == source->arrived && target.sent == source->arrived;
  if (all && source->fin_received) return;
  // A drain finishes who is idle, as far as it was told: bytes may just be arriving.
  if (draining_ && source && source->state == Socket::State::established &&
      source->read >= source->announced && target.sent == source->read)
    return;
  violated("FIN only after the last byte", target.connection,
           "side " + std::to_string(target.side) + " was finished after " +
               std::to_string(target.sent) + " bytes of " +
               std::to_string(source ? source->arrived : 0));
}

void World::resets(const Socket& target) {
  if (target.connection < 0) return;
  Connection& connection = of(target);
  // A connect that was given up after its timeout; the next attempt may not succeed either.
  if (target.side == 1 && !target.asked) {
    const bool due = kernel_.now() - target.begun >= upstream::ConnectOptions{}.timeout;
    const bool client_left = connection.ends[0]->state == Socket::State::dead;
    if (!due && !client_left && !target.reaches_itself && !connection.disturbed && !stopping_)
      violated("no deadline comes early", target.connection, "a connect was given up");
    const bool in_time = target.stood < target.begun + upstream::ConnectOptions{}.timeout;
    if (target.state == Socket::State::established && in_time && target.registered &&
        !client_left && !connection.disturbed && !stopping_)
      violated("an answer that came in time is not too late", target.connection,
               "a connect was given up that stood");
    connection.disturbed = true;
  }
  // One that waited in line for as long as it may.
  if (plan_.patience.count() > 0 && !connection.ends[1] &&
      kernel_.now() - connection.begun >= plan_.patience)
    connection.disturbed = true;
  if (!connection.disturbed && !stopping_)
    violated("what nobody disturbed is not reset", target.connection,
             "side " + std::to_string(target.side));
}

void World::collect_records() {
  session::Record record;
  while (forwarder_->records().try_pop(record)) check_record(record);
}

void World::check_record(const session::Record& record) {
  if (record.event != session::Record::Event::close) return;
  const auto number = static_cast<int>(record.id);
  Connection& connection = *connections_[record.id];
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

bool World::is_whole(const Connection& connection) const {
  for (unsigned side = 0; side < 2; ++side) {
    const Socket& target = *connection.ends[side];
    // A peer may reset between the last byte and the FIN; it lost nothing.
    const bool finished = target.fin_sent || target.state == Socket::State::dead;
    if (!finished || target.sent != connection.peers[1 - side].to_send) return false;
  }
  return true;
}

void World::check_end() const {
  for (std::size_t i = 0; i < connections_.size(); ++i)
    if (!connections_[i]->recorded)
      violated("every connection has one record", static_cast<int>(i), "none came");
  if (attempts_recorded_ != attempts_)
    violated("the records count every attempt", -1,
             std::to_string(attempts_recorded_) + " of " + std::to_string(attempts_));
  if (kernel_.open_sockets() != 0)
    violated("every socket is closed at the end", -1,
             std::to_string(kernel_.open_sockets()) + " are open");
  for (const auto& endpoint : listener_.upstream->cluster().endpoints())
    if (endpoint.live->active.load() != 0)
      violated("every place is given back", -1, endpoint.live->identity);
  if (listener_.upstream->queue().length() != 0)
    violated("nobody is left in line", -1, std::to_string(listener_.upstream->queue().length()));
  if (forwarder_->rounds().blocked() != kernel_.long_rounds())
    violated("the watchdog counts every long round", -1,
             std::to_string(forwarder_->rounds().blocked()) + " of " +
                 std::to_string(kernel_.long_rounds()));
  if (plan_.conditions.lost_in == 0 && forwarder_->session_counters().stalls.value() != 0)
    violated("who does not stall is not said to", -1, "a stall was counted");
  if (listener_.active.load() != 0 || admission_.active() != 0 || forwarder_->load() != 0)
    violated("every place is given back", -1, "a counter is not 0");
}

}  // namespace penstock::simulation

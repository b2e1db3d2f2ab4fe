#include "simulation/oracle.hpp"

#include <algorithm>
#include <string>

#include "simulation/outside.hpp"
#include "upstream/spec.hpp"

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
// Only the address sanitizer knows, and would end the run before the invariant is named.
bool is_freed([[maybe_unused]] std::span<const std::byte> bytes) {
#ifdef PENSTOCK_ADDRESS_SANITIZED
  return __asan_region_is_poisoned(const_cast<std::byte*>(bytes.data()), bytes.size()) != nullptr;
#else
  return false;
#endif
}
}  // namespace

void Oracle::registered(const std::shared_ptr<Socket>& socket, std::uint64_t token) {
  if (socket->connection < 0) {
    // A session's two tokens differ in the last bit: session/session.hpp.
    for (std::size_t i = run_.connections.size(); i-- > 0 && socket->connection < 0;)
      if (!run_.connections[i]->recorded && run_.connections[i]->token == token >> 1)
        socket->connection = static_cast<int>(i);
    if (socket->connection < 0)
      violated("a socket belongs to a live session", -1, "token " + std::to_string(token));
    socket->side = 1;
    run_.of(*socket).ends[1] = socket;
    if (socket->was_ready) handed_out(*socket, run_.of(*socket));
  }
  run_.of(*socket).token = token >> 1;
}

void Oracle::sends(const Socket& target, std::span<const std::byte> bytes) const {
  const Socket& source = *run_.of(target).ends[1 - target.side];
  if (target.sent + bytes.size() > source.read)
    violated("output is a prefix of input", target.connection, "more goes out than came in");
  if (!tape_.has(bytes, target.connection, source.side, target.sent))
    violated("output is a prefix of input", target.connection,
             "wrong bytes at offset " + std::to_string(target.sent));
}

void Oracle::unchanged(const Socket& target, std::span<const std::byte> bytes,
                       std::uint64_t offset) const {
  if (is_freed(bytes))
    violated("memory is left alone until its notice", target.connection,
             "what was sent at offset " + std::to_string(offset) + " has been freed");
  if (!tape_.has(bytes, target.connection, 1 - target.side, offset))
    violated("memory is left alone until its notice", target.connection,
             "what was sent at offset " + std::to_string(offset) + " has changed");
}

void Oracle::splices(const Socket& target, int connection, unsigned side,
                     std::uint64_t offset) const {
  if (connection != target.connection || side == target.side)
    violated("no byte bears another connection's tag", target.connection,
             "a pipe brought bytes of connection " + std::to_string(connection));
  if (offset != target.sent)
    violated("output is a prefix of input", target.connection,
             "offset " + std::to_string(offset) + " goes out at " + std::to_string(target.sent));
}

void Oracle::holds(const Socket& source) const {
  const auto& target = run_.of(source).ends[1 - source.side];
  const std::uint64_t held = source.read - (target ? target->sent : 0);
  const relay::Options& relay = run_.plan.relay;
  if (held > std::max({relay.buffer_bytes, relay.pipe_bytes, relay.grown_pipe_bytes}))
    violated("bytes held stay within their bound", source.connection,
             std::to_string(held) + " bytes were read and not sent");
}

void Oracle::finishes(const Socket& target) const {
  if (target.connection < 0) return;  // it was kept ready, and nobody came
  const auto& source = run_.of(target).ends[1 - target.side];
  const bool all = source && source->read == source->arrived && target.sent == source->arrived;
  if (all && source->fin_received) return;
  // A drain finishes who is idle, as far as it was told: bytes may just be arriving.
  if (run_.draining && source && source->state == Socket::State::established &&
      source->read >= source->announced && target.sent == source->read)
    return;
  violated("FIN only after the last byte", target.connection,
           "side " + std::to_string(target.side) + " was finished after " +
               std::to_string(target.sent) + " bytes of " +
               std::to_string(source ? source->arrived : 0));
}

void Oracle::resets(const Socket& target) {
  if (target.connection < 0) return;
  if (target.was_ready && !target.asked && target.fin_received) return;  // for another one
  Connection& connection = run_.of(target);
  if (target.side == 1 && !target.asked) check_connect(target);
  // One that waited in line for as long as it may.
  if (run_.plan.patience.count() > 0 && !connection.ends[1] &&
      rig_.kernel.now() - connection.begun >= run_.plan.patience)
    connection.disturbed = true;
  if (!connection.disturbed && !run_.stopping)
    violated("what nobody disturbed is not reset", target.connection,
             "side " + std::to_string(target.side));
}

// A connect that was given up after its timeout; the next attempt may not succeed either.
void Oracle::check_connect(const Socket& target) {
  Connection& connection = run_.of(target);
  const bool due = rig_.kernel.now() - target.begun >= upstream::ConnectOptions{}.timeout;
  const bool client_left = connection.ends[0]->state == Socket::State::dead;
  if (!due && !client_left && !target.reaches_itself && !connection.disturbed && !run_.stopping)
    violated("no deadline comes early", target.connection, "a connect was given up");
  const bool in_time = target.stood < target.begun + upstream::ConnectOptions{}.timeout;
  if (target.state == Socket::State::established && in_time && target.registered && !client_left &&
      !connection.disturbed && !run_.stopping)
    violated("an answer that came in time is not too late", target.connection,
             "a connect was given up that stood");
  connection.disturbed = true;
}

void Oracle::call_failed(const Socket* socket) {
  if (socket != nullptr && socket->connection >= 0) {
    run_.of(*socket).disturbed = true;
    return;
  }
  // A connect() that fails at once: whose it was is not known here.
  for (auto& connection : run_.connections)
    if (connection->ends[1] == nullptr || connection->ends[1]->closed) connection->disturbed = true;
}

}  // namespace penstock::simulation

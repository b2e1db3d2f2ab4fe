// The engine that sends without a copy: what was read stays in a held buffer, from whose pages the
// kernel sends until its notice comes. Worth it, if at all, from a certain size on
// (relay.zerocopy_threshold), and only where the kernel does not copy after all: docs/RELAY.md.

#include <cerrno>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "os/socket.hpp"
#include "os/zerocopy.hpp"
#include "relay/direction.hpp"

namespace penstock::relay {

using os::IoResult;
using os::IoStatus;

// Hysteresis, as with pipes: docs/RELAY.md.
void Direction::note_send(std::size_t bytes, Workspace& workspace) noexcept {
  const bool large = bytes >= workspace.options().zerocopy_from_bytes;
  if (engine_ == Engine::copy) {
    if (!large || zerocopy_refused_) return;
    engine_ = Engine::zerocopy;
    small_chunks_ = 0;
    workspace.counters().switched(Switch::large_sends);
  } else if (large) {
    small_chunks_ = 0;
  } else if (++small_chunks_ >= base::copy_after_small_sends) {
    engine_ = Engine::copy;
    workspace.counters().switched(Switch::small_sends);
  }
}

// The adaptive policy's second choice for what is large: half of the copies can still be saved.
Direction::Step Direction::read_without_pipe(Side& source, Side& target,
                                             Workspace& workspace) noexcept {
  const bool may_try = workspace.options().engine != EnginePolicy::splice && !zerocopy_refused_ &&
                       !workspace.zerocopy_paths().copies(target.path, workspace.now);
  if (!may_try) return read_by_copy(source, target, workspace);
  const bool had_flight = flight_ != nullptr;
  const Step step = read_by_zerocopy(source, target, workspace);
  if (!had_flight && flight_ != nullptr) workspace.counters().switched(Switch::no_pipe);
  return step;
}

Direction::Step Direction::read_by_zerocopy(Side& source, Side& target,
                                            Workspace& workspace) noexcept {
  PENSTOCK_ASSERT(!holds_bytes());
  if (!prepare_zerocopy(target, workspace)) return read_by_copy(source, target, workspace);
  if (!workspace.buffers().available()) return Step::no_buffer;
  HeldBuffer* const buffer = workspace.buffers().take();
  const IoResult result = os::receive(source.socket, buffer->memory());
  if (result.status != IoStatus::moved) {
    workspace.buffers().give_back(buffer);
    return nothing_read(source, result);
  }
  buffer->filled(result.bytes);
  held_ = workspace.buffers().index_of(*buffer);
  note_read(source, result.bytes, buffer->memory().size(), workspace);
  return Step::moved;
}

// False where what comes next is to be copied. Peers that acknowledge nothing must not take all
// buffers with them, so half of those are left to copying.
bool Direction::prepare_zerocopy(Side& target, Workspace& workspace) noexcept {
  const bool has_place = workspace.buffers().has_plenty();
  if (has_place && flight_ != nullptr && !flight_->full()) return true;
  if (has_place && flight_ == nullptr) {
    if (os::allow_zerocopy(target.socket)) {
      give_up_zerocopy(workspace);
      return false;
    }
    flight_ = workspace.lease_flight();
    if (flight_ != nullptr) return true;
  }
  workspace.counters().fell_back(ZerocopyFallback::in_flight_limit);
  return false;
}

void Direction::give_up_zerocopy(Workspace& workspace) noexcept {
  zerocopy_refused_ = true;
  if (engine_ == Engine::zerocopy) engine_ = Engine::copy;
  workspace.counters().fell_back(ZerocopyFallback::refused);
  workspace.counters().switched(Switch::not_supported);
}

IoResult Direction::send_held(Side& target, Workspace& workspace) noexcept {
  HeldBuffer& buffer = held(workspace);
  const auto rest = buffer.rest();
  const bool large = rest.size() >= workspace.options().zerocopy_from_bytes;
  if (large && flight_ != nullptr && (flight_->has(buffer) || !flight_->full())) {
    const IoResult result = os::send_zerocopy(target.socket, rest);
    if (result.status == IoStatus::moved) {
      flight_->sent(buffer, result.bytes);
      workspace.counters().moved(Engine::zerocopy, result.bytes);
    }
    if (result.status != IoStatus::failed || result.error != ENOBUFS) return result;
    workspace.counters().fell_back(ZerocopyFallback::no_notice);
  }
  const IoResult result = os::send(target.socket, rest);
  if (result.status == IoStatus::moved) note_copied(result.bytes, workspace);
  return result;
}

void Direction::let_go_of_held(Workspace& workspace) noexcept {
  HeldBuffer& buffer = held(workspace);
  held_ = PoolIndex::none;
  if (buffer.unnoticed > 0) return;  // the flight gives it back when its notices have come
  if (flight_ != nullptr) flight_->forget(buffer);
  workspace.buffers().give_back(&buffer);
}

void Direction::take_notices(Side& target, Workspace& workspace) noexcept {
  if (flight_ == nullptr) return;
  Counters& counters = workspace.counters();
  const HeldBuffer* const still_held = held_ == PoolIndex::none ? nullptr : &held(workspace);
  while (const auto notice = os::take_zerocopy_notice(target.socket)) {
    const std::uint32_t sends = notice->last - notice->first + 1;
    counters.zerocopy_sends.add(sends);
    if (notice->copied) {
      counters.zerocopy_copied.add(sends);
      if (workspace.options().engine != EnginePolicy::zerocopy &&
          !workspace.zerocopy_paths().copies(target.path, workspace.now)) {
        workspace.zerocopy_paths().note_copied(target.path, workspace.now);
        counters.switched(Switch::kernel_copied);
      }
    }
    flight_->take(*notice, still_held, workspace.buffers());
  }
}

void Direction::end(Workspace& workspace) noexcept {
  PENSTOCK_ASSERT(!holds_bytes());
  if (flight_ != nullptr) workspace.give_back(std::exchange(flight_, nullptr));
}

}  // namespace penstock::relay

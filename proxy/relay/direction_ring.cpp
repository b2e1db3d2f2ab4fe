// On a ring the loop receives for us: asked once per message, it answers with bytes in a buffer of
// its own, and a call is saved. What is large, and all that is odd, is read by call as ever.
//
// Each receive is asked for singly, when the direction has passed on what it had: a multishot one
// would read on while the target is full, and so take the sender's backpressure away.

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "relay/direction.hpp"

namespace penstock::relay {

void Direction::await_source(Side& source, Workspace& workspace) noexcept {
  if (source.receiving || source.failed) return;
  source.receiving = true;
  if (engine_ == Engine::copy)
    workspace.ring->receive(source.socket);
  else
    workspace.ring->await_readable(source.socket);
}

Direction::Step Direction::write_arrived(Side& source, Side& target,
                                         Workspace& workspace) noexcept {
  if (!target.writable) return Step::target_full;
  // What the target does not take has to be held: be sure of the place first.
  if (!workspace.buffers().available()) return Step::no_buffer;
  const auto arrived = workspace.ring->buffer(source.arrived_buffer).first(source.arrived_bytes);
  // A full buffer means that there may be more. Else the next receive asks again.
  source.readable = arrived.size() == base::ring_buffer_bytes;
  note_chunk(arrived.size(), workspace);
  const Step step = write_fresh(target, workspace, arrived);
  workspace.ring->give_back(source.arrived_buffer);
  source.arrived_bytes = 0;
  return step;
}

}  // namespace penstock::relay

#pragma once
// Finds connections that sleep though they could move bytes: a wake-up was lost, by a fault of ours
// or of the kernel. It is the second line behind the rules of docs/RELAY.md; where those hold it
// never finds anybody.
//
// One look may be wrong: bytes can arrive between the forwarder's wait and the look. So who looks
// stalled is only suspected; who still does after another wait, a second later, has stalled.
//
// Owner    the forwarder. Thread: its own. To be called once a second, after a wait whose events
//          have all been served.
// Limits   base::stall_looks_max connections a call, in turn; base::stall_suspects_max suspects.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/limits.hpp"

namespace penstock::session {
class Session;
class SessionTable;
struct Context;
}  // namespace penstock::session

namespace penstock::runtime {

class StallSampler {
 public:
  // Those that have stalled. Valid until the next call.
  std::span<session::Session* const> look(const session::SessionTable& table,
                                          session::Context& context) noexcept;

 private:
  struct Suspect {
    std::size_t slot;
    std::uint64_t id;        // of the connection: the slot may be another's by now
    std::uint64_t progress;  // how far it had come
  };
  void confirm(const session::SessionTable& table, session::Context& context) noexcept;
  void suspect(const session::SessionTable& table, session::Context& context) noexcept;

  std::array<Suspect, base::stall_suspects_max> suspects_{};
  std::size_t suspect_count_ = 0;
  std::array<session::Session*, base::stall_suspects_max> stalled_{};
  std::size_t stalled_count_ = 0;
  std::size_t next_ = 0;  // slot
};

}  // namespace penstock::runtime

#include "session/linger.hpp"

#include <algorithm>

#include "session/context.hpp"

namespace penstock::session {

namespace {
// The kernel does not announce an empty send queue, so it is asked; a hundred times a second costs
// nothing that matters and delays an RST by less than a human notices.
constexpr base::Duration look_again_after = std::chrono::milliseconds{10};
}  // namespace

bool Linger::goes_on(bool owes_bytes, base::Timer& session, Context& context) const noexcept {
  const base::Instant end = end_.near(context.now);
  if (!owes_bytes || context.now >= end) return false;
  context.timers.arm(session,
                     std::min({context.now + look_again_after, end, context.drain_deadline}));
  return true;
}

}  // namespace penstock::session

// What a proxied connection says of itself while it stands.

#include <cerrno>

#include "os/socket.hpp"
#include "session/context.hpp"
#include "session/proxy_session.hpp"
#include "upstream/live_record.hpp"

namespace penstock::session {

// When a connection is reset whose endpoint is being drained.
base::Instant ProxySession::drain_deadline() const noexcept {
  if (!lease.is_held()) return base::never;
  return base::Instant{base::Duration{endpoint().drain_deadline.load(std::memory_order_relaxed)}};
}

// Its endpoint may have come back meanwhile.
std::optional<CloseReason> ProxySession::drained_for(const Context& context) const noexcept {
  if (const auto all = StandingSession::drained_for(context)) return all;
  if (drain_deadline() == base::never) return std::nullopt;
  return CloseReason::endpoint_removed;
}

bool ProxySession::check_peers(Context& context) noexcept {
  if (!keepalive_is_on && !endpoint().address.is_unix())
    os::start_keepalive(sides[upstream].socket, arrival_.listener->options.socket.keepalive);
  keepalive_is_on = true;
  const auto dead = find_dead_peer({sides[client].socket, sides[upstream].socket}, context);
  if (dead) sides[*dead].fail(ETIMEDOUT);
  return !dead;
}

Next ProxySession::end_by_fin(CloseReason why, Context& context) noexcept {
  return finish(why, Ending::fin, context);
}

Next ProxySession::end_in_time(CloseReason why, Context& context) noexcept {
  return begin_abort(why, context);
}

}  // namespace penstock::session

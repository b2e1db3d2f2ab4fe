// Sockets that are kept ready: who gets one, where there are none, and how many attempts they were.

#include <algorithm>
#include <string>

#include "simulation/oracle.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

// What happens to it between the proxy's look and this moment nobody could know.
void Oracle::handed_out(const Socket& socket, Connection& connection) const {
  if (run_.drained && run_.drained->endpoint == socket.endpoint && run_.drained->said < run_.waits)
    violated("no connection goes to an endpoint that takes none", socket.connection,
             "it got a socket that was kept ready there");
  Peer& peer = connection.peers[1];
  peer.to_send = socket.fin_received ? socket.arrived : std::max(peer.to_send, socket.arrived);
}

// Nor is any kept there for longer than until control asks next.
void Oracle::check_kept() const {
  if (!run_.drained || !run_.drained->pinged || run_.waits < *run_.drained->pinged + 2) return;
  for (const auto& socket : run_.ready)
    if (Run::is_kept(*socket) && socket->endpoint == run_.drained->endpoint)
      violated("no socket is kept ready at an endpoint that takes no connections", -1,
               "descriptor " + std::to_string(socket->descriptor));
}

// Those that nobody used were none. A call that failed may have been for one of those.
void Oracle::check_attempts() const {
  const auto unused = static_cast<std::uint64_t>(std::count_if(
      run_.ready.begin(), run_.ready.end(), [](const auto& socket) { return !socket->asked; }));
  const std::uint64_t expected = attempts_ - unused;
  const bool may_be_fewer = run_.plan.ready > 0 && run_.plan.conditions.one_in != 0;
  if (attempts_recorded_ == expected || (may_be_fewer && attempts_recorded_ < expected)) return;
  violated("the records count every attempt", -1,
           std::to_string(attempts_recorded_) + " of " + std::to_string(expected));
}

}  // namespace penstock::simulation

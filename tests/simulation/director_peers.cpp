// What peers do: they answer or refuse, send, finish, read, break off.

#include <algorithm>
#include <cerrno>

#include "simulation/director.hpp"

namespace penstock::simulation {

bool Director::act_on(Connection& connection, unsigned side) {
  if (connection.ends[side] == nullptr || connection.ends[side]->closed) return false;
  Socket& socket = *connection.ends[side];
  Peer& peer = connection.peers[side];
  if (socket.state == Socket::State::dead) return false;
  if (socket.state == Socket::State::connecting) return decide_connect(connection, socket);
  if (socket.was_ready && !socket.asked && end_held(socket)) return true;
  if (run_.plan.resets && !run_.healed && random_.one_in(150)) return disturb(connection, socket);
  if (!run_.healed && random_.one_in(10)) peer.stalled = !peer.stalled && random_.one_in(3);
  const bool first = random_.one_in(2) ? deliver(socket, peer) : take(socket, peer);
  if (first && !run_.healed) return true;
  const bool delivered = deliver(socket, peer);
  return take(socket, peer) || delivered || first;
}

bool Director::decide_connect(Connection& connection, Socket& socket) {
  if (!run_.healed && random_.one_in(3)) return false;
  if (run_.plan.resets && !run_.healed && random_.one_in(6)) {
    connection.disturbed = true;
    if (random_.one_in(4))
      socket.reaches_itself = true;
    else
      return rig_.kernel.reset(socket, random_.one_in(2) ? ECONNREFUSED : EHOSTUNREACH), true;
  }
  socket.state = Socket::State::established;
  socket.stood = rig_.kernel.now();
  rig_.kernel.wake(socket);
  return true;
}

bool Director::deliver(Socket& socket, const Peer& peer) {
  if (!socket.peer_answers || socket.fin_received) return false;
  const std::uint64_t left = peer.to_send - socket.arrived;
  if (left == 0) {
    const bool waits = peer.answers && !(socket.fin_sent && socket.taken == socket.sent);
    if (waits || (!run_.healed && random_.one_in(2))) return false;
    socket.fin_received = true;
    rig_.kernel.wake(socket);
    return true;
  }
  const std::uint64_t window =
      socket.receive_capacity - std::min(socket.receive_capacity, socket.unread());
  const std::uint64_t most = std::min({left, window, std::uint64_t{peer.piece}});
  if (most == 0) return false;
  const bool urgent = !run_.healed && random_.one_in(60);
  rig_.kernel.arrive(socket, urgent ? 1 : static_cast<std::uint32_t>(random_.between(1, most)),
                     urgent);
  return true;
}

bool Director::take(Socket& socket, const Peer& peer) {
  const std::uint64_t waiting = socket.sent - socket.taken;
  if (peer.stalled || !socket.peer_answers || waiting == 0) return false;
  rig_.kernel.take(socket, run_.healed ? waiting : random_.between(1, waiting));
  return true;
}

bool Director::disturb(Connection& connection, Socket& socket) {
  connection.disturbed = true;
  if (random_.one_in(4)) {
    socket.peer_answers = false;
    socket.silent_since = rig_.kernel.now();
  } else {
    rig_.kernel.reset(socket, random_.one_in(4) ? ETIMEDOUT : ECONNRESET);
  }
  return true;
}

}  // namespace penstock::simulation

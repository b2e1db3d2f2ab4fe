// What becomes of sockets that are kept ready: an endpoint answers, closes, resets, speaks; and an
// operator drains it. Nothing of that disturbs a connection.

#include <algorithm>
#include <cerrno>

#include "simulation/director.hpp"

namespace penstock::simulation {

namespace {
constexpr std::size_t recent = 16;
}

// One of those that were dialled last, where it is still kept. False: nothing happened.
bool Director::act_on_ready() {
  if (!run_.healed && random_.one_in(20)) drain_or_not();
  const auto& ready = run_.ready;
  if (ready.empty()) return false;
  const std::size_t back = random_.between(1, std::min(recent, ready.size()));
  Socket& socket = *ready[ready.size() - back];
  if (!Run::is_kept(socket) || socket.state == Socket::State::dead) return false;
  if (socket.state == Socket::State::connecting) {
    if (!run_.healed && random_.one_in(3)) return false;
    if (!run_.healed && random_.one_in(8)) return rig_.kernel.reset(socket, ECONNREFUSED), true;
    socket.state = Socket::State::established;
    socket.stood = rig_.kernel.now();
    return true;
  }
  if (run_.healed || !random_.one_in(4)) return false;
  switch (random_.between(0, 8)) {
    case 0:
      rig_.kernel.arrive(socket, static_cast<std::uint32_t>(random_.between(1, 40)), false);
      break;
    case 1:
    case 2:
    case 3: rig_.kernel.reset(socket, ECONNRESET); break;
    default: socket.fin_received = true;
  }
  return true;
}

// Its connection has it, and neither side has said a word.
bool Director::end_held(Socket& socket) {
  if (run_.healed || socket.arrived > 0 || !random_.one_in(20)) return false;
  rig_.kernel.reset(socket, ECONNRESET);
  return true;
}

// One endpoint, while the others can be gone to.
void Director::drain_or_not() {
  if (std::any_of(run_.plan.cut_off.begin(), run_.plan.cut_off.end(),
                  [](int error) { return error != 0; }))
    return;
  const std::size_t chosen =
      run_.drained ? run_.drained->endpoint : random_.between(0, Plan::endpoints - 1);
  upstream::LiveRecord& live =
      *rig_.upstream().cluster().endpoint(static_cast<std::uint16_t>(chosen)).live;
  const bool drains = !run_.drained;
  run_.drained.reset();
  if (drains) run_.drained = {.endpoint = chosen, .said = run_.waits};
  const auto said = drains ? upstream::Override::drain : upstream::Override::up;
  rig_.registry.set_override(live, said, rig_.kernel.now());
  rig_.registry.refresh(rig_.kernel.now());
}

}  // namespace penstock::simulation

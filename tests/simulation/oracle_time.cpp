// Who may sleep, how late a deadline may be, and the pace at which an endpoint is asked again.

#include <algorithm>
#include <cerrno>
#include <string>

#include "simulation/oracle.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

// The rule of every edge-triggered loop: who could go on is never asleep. A target below a third of
// room is waited for; whoever was disturbed may be on its way to a reset.
void Oracle::sleeps() const {
  check_places();
  if (run_.plan.conditions.lost_in != 0) return;  // there the stall sampler is what is tested
  for (const auto& connection : run_.connections) {
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
void Oracle::check_places() const {
  if (run_.plan.places == 0) return;
  const auto& endpoints = rig_.upstream().cluster().endpoints();
  bool any_free = false;
  for (const auto& endpoint : endpoints) {
    const std::uint32_t active = endpoint.live->active.load();
    if (active > run_.plan.places)
      violated("an endpoint has no more connections than it allows", -1, std::to_string(active));
    any_free = any_free || (active < run_.plan.places && endpoint.live->is_first_choice &&
                            !endpoint.live->known_host_fault());
  }
  if (any_free && rig_.upstream().queue().length() > 0)
    violated("nobody waits in line while a place is free", -1,
             std::to_string(rig_.upstream().queue().length()) + " wait");
}

// A deadline is served, however busy the others are: within a few waits. A lifetime has a jitter of
// 10 %, and ends whom the upstream has answered; before that connecting has its own timeout.
void Oracle::waits() {
  check_kept();
  if (!run_.plan.crowd) return;
  constexpr unsigned late_waits_max = 20;
  constexpr auto ticks = std::chrono::milliseconds{2};
  const auto late = [&](const auto& connection) {
    const auto& upstream = connection->ends[1];
    if (connection->recorded || !upstream || !upstream->asked || upstream->closed) return false;
    const base::Instant due = connection->begun + run_.plan.timeouts.max_lifetime * 11 / 10;
    return rig_.kernel.now() - std::max(due, upstream->asked_at) > ticks;
  };
  const auto found = std::find_if(run_.connections.begin(), run_.connections.end(), late);
  late_waits_ = found == run_.connections.end() ? 0 : late_waits_ + 1;
  if (late_waits_ > late_waits_max)
    violated("a deadline is served though others are busy",
             static_cast<int>(found - run_.connections.begin()),
             "its lifetime passed " + std::to_string(late_waits_) + " waits ago");
}

void Oracle::asked(std::size_t endpoint, int error) {
  check_pace(endpoint);
  asked_[endpoint] = {.times = asked_[endpoint].times + 1,
                      .last = rig_.kernel.round_began(),
                      .was_full = error == EAGAIN};
}

// Whose call it is is known only where there is one connection.
void Oracle::check_pace(std::size_t endpoint) const {
  const Asked& asked = asked_[endpoint];
  if (asked.times == 0 || run_.plan.conditions.one_in != 0) return;
  const base::Duration passed = rig_.kernel.round_began() - asked.last;
  if (run_.plan.cut_off[endpoint] != 0) {
    if (passed < std::chrono::seconds{5})
      violated("what this host cannot go to is not asked again at once", -1,
               std::to_string(passed.count()) + " ns");
    return;
  }
  if (run_.plan.connections > 1 || run_.plan.ready > 0) return;
  constexpr base::Duration first = std::chrono::milliseconds{100};
  constexpr base::Duration longest = std::chrono::seconds{1};
  constexpr base::Duration late = std::chrono::milliseconds{20};
  const base::Duration pause = std::min(first * (1 << std::min(asked.times - 1, 4U)), longest);
  if (passed < pause * 8 / 10)
    violated("who asks an endpoint again has paused", -1, std::to_string(passed.count()) + " ns");
  // Else another endpoint may have been tried in between.
  if (asked.was_full && !run_.plan.resets && passed > pause * 12 / 10 + late)
    violated("who waits for a full queue asks again in time", -1,
             std::to_string(passed.count()) + " ns");
}

}  // namespace penstock::simulation

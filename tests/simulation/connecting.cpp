// What connect() meets at once, and the pace at which it may be asked again.

#include <algorithm>
#include <cerrno>

#include "simulation/world.hpp"

namespace penstock::simulation {

// A queue that is full now has room long before a connection's budget has passed, and for longer
// than the longest pause.
bool World::queues_are_full() {
  if (!plan_.unix_endpoints) return false;
  const base::Instant now = kernel_.now();
  if (now >= next_full_ && !healed_) {
    full_until_ = now + std::chrono::milliseconds{random_.between(0, 3000)};
    next_full_ = full_until_ + std::chrono::seconds{4};
  }
  return now < full_until_;
}

int World::error_at_once(const os::SocketAddress& endpoint) {
  const auto& endpoints = listener_.upstream->cluster().endpoints();
  std::size_t place = 0;
  while (endpoints[place].live->address != endpoint) ++place;
  const bool is_full = queues_are_full();
  check_pace(place);
  asked_[place] = {
      .times = asked_[place].times + 1, .last = kernel_.round_began(), .was_full = is_full};
  if (plan_.cut_off[place] != 0) return plan_.cut_off[place];
  return is_full ? EAGAIN : 0;
}

// Whose call it is is known only where there is one connection.
void World::check_pace(std::size_t place) {
  const Asked& asked = asked_[place];
  if (asked.times == 0 || plan_.conditions.one_in != 0) return;
  const base::Duration passed = kernel_.round_began() - asked.last;
  if (plan_.cut_off[place] != 0) {
    if (passed < std::chrono::seconds{5})
      violated("what this host cannot go to is not asked again at once", -1,
               std::to_string(passed.count()) + " ns");
    return;
  }
  if (plan_.connections > 1) return;
  constexpr base::Duration first = std::chrono::milliseconds{100};
  constexpr base::Duration longest = std::chrono::seconds{1};
  constexpr base::Duration late = std::chrono::milliseconds{20};
  const base::Duration pause = std::min(first * (1 << std::min(asked.times - 1, 4U)), longest);
  if (passed < pause * 8 / 10)
    violated("who asks an endpoint again has paused", -1, std::to_string(passed.count()) + " ns");
  // Else another endpoint may have been tried in between.
  if (asked.was_full && !plan_.resets && passed > pause * 12 / 10 + late)
    violated("who waits for a full queue asks again in time", -1,
             std::to_string(passed.count()) + " ns");
}

}  // namespace penstock::simulation

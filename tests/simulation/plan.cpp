// What a seed decides once: which faults there are, how large things are, how long they take.

#include "simulation/plan.hpp"

#include <algorithm>
#include <cerrno>

namespace penstock::simulation {

namespace {

constexpr base::Duration wrap = std::chrono::milliseconds{std::int64_t{1} << 32};

session::Timeouts timeouts_from(Random& random, bool short_ones) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  session::Timeouts timeouts{.idle = hours{24}, .half_close = hours{12}};
  if (!short_ones) return timeouts;
  timeouts.idle = milliseconds{random.between(20, 2000)};
  timeouts.half_close = milliseconds{random.between(10, 1000)};
  timeouts.max_lifetime = milliseconds{random.one_in(2) ? 0 : random.between(50, 2000)};
  timeouts.peer = milliseconds{random.one_in(4) ? 0 : random.between(50, 2000)};
  timeouts.abort_linger = milliseconds{random.between(0, 500)};
  return timeouts;
}

// A forwarder that is always busy: more than a wait's worth of sockets, each ready again at once.
void make_crowd(Plan& plan, Random& random) {
  plan.crowd = plan.conditions.crowd = true;
  plan.connections = 400;
  plan.turns = 5000;
  plan.bytes_max = 4000;
  plan.short_timeouts = true;
  plan.jumps = plan.drains = false;
  plan.timeouts = {.idle = std::chrono::hours{24}, .half_close = std::chrono::hours{12}};
  plan.timeouts.max_lifetime = std::chrono::milliseconds{random.between(3, 10)};
  plan.timeouts.abort_linger = base::Duration{0};
}

// One endpoint, or all but one.
void cut_off(Plan& plan, Random& random) {
  static constexpr std::array errors{ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EACCES, EPERM};
  const std::size_t chosen = random.between(0, Plan::endpoints - 1);
  const bool all_but_one = random.one_in(2);
  for (std::size_t i = 0; i < Plan::endpoints; ++i)
    if ((i == chosen) != all_but_one)
      plan.cut_off[i] = errors[random.between(0, errors.size() - 1)];
}

}  // namespace

Plan plan_from(Random& random) {
  static constexpr std::array sizes{64, 4'000, 60'000, 400'000};
  static constexpr std::array counts{1, 3, 8, 40, 400};
  static constexpr std::array pools{0, 1, 2, 64};
  using relay::EnginePolicy;
  static constexpr std::array engines{
      EnginePolicy::adaptive, EnginePolicy::adaptive, EnginePolicy::splice, EnginePolicy::copy,
      EnginePolicy::zerocopy, EnginePolicy::uring,    EnginePolicy::uring};
  Plan plan;
  plan.bytes_max = static_cast<std::uint64_t>(sizes[random.between(0, 3)]);
  plan.connections = random.between(
      1, static_cast<std::uint64_t>(counts[random.one_in(100) ? 4 : random.between(0, 3)]));
  plan.turns = random.between(20, 150) * plan.connections;
  plan.relay.engine = engines[random.between(0, engines.size() - 1)];
  // Small ones take what is in a pipe by several turns, and short sends are longer than they are.
  plan.relay.buffer_bytes = random.one_in(2) ? 64 * 1024 : 4 * 1024;
  plan.relay.zerocopy_from_bytes = random.one_in(2) ? 10 * 1024 : 1;
  plan.relay.pipe_bytes = random.one_in(2) ? 64 * 1024 : 256 * 1024;
  plan.relay.pipes_max = static_cast<std::size_t>(pools[random.between(0, 3)]);
  // From what is drawn already: a seed stays the story that it was.
  plan.relay.grown_pipes_max = plan.turns % 5;
  plan.relay.grown_pipe_bytes = plan.relay.pipe_bytes * (plan.turns % 2 == 0 ? 2 : 4);
  // Streams that fill a budget at one go need large buffers.
  if (random.one_in(30)) {
    plan.bytes_max = 6'000'000;
    plan.piece_max = 4 << 20;
    plan.conditions.buffer_max = 8 << 20;
  }
  // Half of the seeds have no faults at all: there everything must be complete.
  const bool faulty = random.one_in(2);
  plan.resets = faulty && random.one_in(2);
  plan.drains = faulty && random.one_in(6);
  plan.short_timeouts = faulty && random.one_in(6);
  plan.jumps = random.one_in(4);
  plan.conditions.one_in = faulty && random.one_in(2) ? random.between(20, 400) : 0;
  plan.conditions.short_in = random.one_in(3) ? 0 : random.between(2, 20);
  plan.conditions.small_pipes = faulty && random.one_in(4);
  plan.timeouts = timeouts_from(random, plan.short_timeouts);
  if (random.one_in(500)) make_crowd(plan, random);
  if (!plan.crowd && random.one_in(4)) {
    plan.places = static_cast<std::uint32_t>(random.between(1, 4));
    if (faulty && random.one_in(3))
      plan.patience = std::chrono::milliseconds{random.between(1, 9000)};
  }
  plan.pings = random.one_in(4);
  if (plan.pings && !plan.crowd && random.one_in(4))
    plan.conditions.lost_in = random.between(5, 200);
  if (random.one_in(4)) cut_off(plan, random);
  // From what is drawn already, as well.
  if (!plan.crowd && plan.turns % 7 > 4) {
    plan.ready = 1 + static_cast<int>(plan.turns % 4);
    plan.pings = true;  // without one nobody looks after them
  }
  plan.unix_endpoints = !plan.jumps && !plan.crowd && random.one_in(4);
  // Near the 49.7 days at which 32 bits of milliseconds wrap, or after an hour.
  plan.start =
      base::Instant{random.one_in(2) ? wrap - std::chrono::milliseconds{random.between(0, 5000)}
                                     : base::Duration{std::chrono::hours{1}}};
  return plan;
}

Plan plan_for_files(Random& random) {
  Plan plan = plan_from(random);
  plan.crowd = plan.conditions.crowd = false;
  plan.connections = std::min<std::size_t>(plan.connections, 40);
  plan.turns = random.between(20, 150) * plan.connections;
  plan.pings = false;
  plan.conditions.lost_in = 0;
  plan.drains = random.one_in(2);
  return plan;
}

Tally& Tally::operator+=(const Tally& other) noexcept {
  connections += other.connections;
  steps += other.steps;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] += other.bytes[i];
  for (std::size_t i = 0; i < reasons.size(); ++i) reasons[i] += other.reasons[i];
  return *this;
}

}  // namespace penstock::simulation

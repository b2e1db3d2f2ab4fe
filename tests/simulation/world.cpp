#include "simulation/world.hpp"

namespace penstock::simulation {

namespace {
Rig::Parts parts_of(const Plan& plan) {
  Rig::Parts parts;
  parts.start = plan.start;
  parts.conditions = plan.conditions;
  auto& upstream = parts.upstream.emplace();
  upstream.name = "u";
  upstream.endpoints = Rig::endpoints(Plan::endpoints, plan.unix_endpoints, plan.places);
  upstream.connect.ready = plan.ready;
  upstream.queue = {.size = Rig::connections_room, .timeout = plan.patience};
  parts.timeouts = plan.timeouts;
  parts.relay = plan.relay;
  return parts;
}
}  // namespace

World::World(std::uint64_t seed)
    : random_{seed},
      run_{.plan = plan_from(random_)},
      rig_{random_, *this, parts_of(run_.plan)},
      director_{random_, run_, rig_},
      oracle_{tape_, run_, rig_} {}

void World::run(Tally& tally) {
  rig_.forwarder.start(nullptr);
  rig_.forwarder.join();
  oracle_.collect_records();
  oracle_.check_end();
  tally.connections += run_.connections.size();
  tally.steps += rig_.kernel.steps();
  tally += oracle_.tally();
}

// Who is still there at a wait, and belongs to no session, is kept ready.
void World::waits() {
  for (auto& socket : run_.dialled) {
    if (socket->connection >= 0 || socket->closed) continue;
    socket->was_ready = true;
    run_.ready.push_back(std::move(socket));
  }
  run_.dialled.clear();
  ++run_.waits;
  oracle_.waits();
}

void World::dialled(const std::shared_ptr<Socket>& socket, const os::SocketAddress& address) {
  socket->endpoint = rig_.place_of(address);
  run_.dialled.push_back(socket);
}

void World::at_rest() {
  oracle_.check_rest();
  director_.stop();
}

int World::error_at_once(const os::SocketAddress& address) {
  const std::size_t endpoint = rig_.place_of(address);
  const int error = director_.error_at_once(endpoint);
  oracle_.asked(endpoint, error);
  return error;
}

}  // namespace penstock::simulation

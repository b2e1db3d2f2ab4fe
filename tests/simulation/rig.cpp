#include "simulation/rig.hpp"

#include <memory_resource>

#include "base/assert.hpp"

namespace penstock::simulation {

std::vector<upstream::EndpointSpec> Rig::endpoints(std::size_t count, bool unix_sockets,
                                                   std::uint32_t max_connections) {
  std::vector<upstream::EndpointSpec> result;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    const std::string address = unix_sockets ? "unix:/run/" + number : "10.0.0." + number + ":80";
    result.push_back({.identity = address,
                      .address = *os::parse_socket_address(address),
                      .max_connections = max_connections});
  }
  return result;
}

Rig::Rig(Random& random, Outside& outside, const Parts& parts)
    : kernel{random, outside, parts.start},
      bell{(Kernel::set_current(&kernel), runtime::SleepFlag{}), os::Wakeup{}},
      registry{{parts.upstream}, parts.start},
      forwarder{setup_of(parts), log, admission, bell, *std::pmr::new_delete_resource()} {
  registry.set_bell(*this);
}

runtime::Forwarder::Setup Rig::setup_of(const Parts& parts) {
  kernel.conditions() = parts.conditions;
  listener.options.timeouts = parts.timeouts;
  listener.upstream = &upstream();
  runtime::Forwarder::Setup setup;
  setup.relay = parts.relay;
  setup.listeners = 1;
  setup.upstreams = {listener.upstream};
  setup.upstreams_stale = &registry.stale();
  return setup;
}

void Rig::hand_over(const std::shared_ptr<Socket>& client, std::uint64_t id, bool over_limit) {
  session::Arrival arrival;
  arrival.socket = client->descriptor;
  arrival.peer.family = os::IpEndpoint::Family::v4;
  arrival.id = id;
  arrival.at = kernel.now();
  arrival.listener = &listener;
  arrival.over_limit = over_limit;
  PENSTOCK_ASSERT(admission.reserve());
  listener.active.fetch_add(1);
  PENSTOCK_ASSERT(forwarder.offer(0, arrival));
  forwarder.wake_for_arrivals();
}

std::string Rig::what_is_held() const {
  if (kernel.open_sockets() != 0) return std::to_string(kernel.open_sockets()) + " open sockets";
  for (const auto& endpoint : upstream().cluster().endpoints())
    if (endpoint.live->active.load() != 0) return "a place at " + endpoint.live->identity;
  if (upstream().queue().length() != 0) return "a place in the queue";
  if (listener.active.load() != 0) return "a place of the listener";
  if (admission.active() != 0) return "a place of the process";
  if (forwarder.load() != 0) return "a connection of the forwarder";
  return {};
}

}  // namespace penstock::simulation

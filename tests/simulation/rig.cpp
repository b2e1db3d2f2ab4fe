#include "simulation/rig.hpp"

#include <memory_resource>

#include "base/assert.hpp"
#include "files/site.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

namespace {
std::vector<upstream::ClusterSpec> clusters(const Rig::Parts& parts) {
  if (!parts.upstream) return {};
  return {*parts.upstream};
}
}  // namespace

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
      registry{clusters(parts), parts.start},
      forwarder{setup_of(parts), log, admission, bell, *std::pmr::new_delete_resource()} {
  registry.set_bell(*this);
}

runtime::Forwarder::Setup Rig::setup_of(const Parts& parts) {
  kernel.conditions() = parts.conditions;
  kernel.file_bytes() = parts.file_bytes;
  listener.options.timeouts = parts.timeouts;
  runtime::Forwarder::Setup setup;
  setup.relay = parts.relay;
  setup.listeners = 1;
  setup.upstreams_stale = &registry.stale();
  if (parts.upstream) {
    listener.upstream = &upstream();
    setup.upstreams = {listener.upstream};
  }
  if (parts.files) {
    listener.site = *files::Site::open(*parts.files);
    setup.sites = {listener.site.get()};
  }
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

std::size_t Rig::place_of(const os::SocketAddress& endpoint) const {
  const auto& endpoints = upstream().cluster().endpoints();
  std::size_t place = 0;
  while (endpoints[place].live->address != endpoint) ++place;
  return place;
}

void Rig::check_given_back() const {
  if (kernel.open_sockets() != 0)
    violated("every socket is closed at the end", -1,
             std::to_string(kernel.open_sockets()) + " are open");
  for (const auto& one : registry.upstreams()) {
    for (const auto& endpoint : one->cluster().endpoints())
      if (endpoint.live->active.load() != 0)
        violated("every place is given back", -1, endpoint.live->identity);
    if (one->queue().length() != 0)
      violated("nobody is left in line", -1, std::to_string(one->queue().length()));
  }
  if (listener.active.load() != 0 || admission.active() != 0 || forwarder.load() != 0)
    violated("every place is given back", -1, "a counter is not 0");
}

}  // namespace penstock::simulation

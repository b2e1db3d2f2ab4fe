#pragma once
// One real forwarder in the simulated kernel, with what acceptors and control give it elsewhere: a
// listener with an upstream or with files, its limits and the bells.
//
// Owner    whoever is outside of the kernel (a world, a scene).
// Thread   the forwarder's from start() to join(); before and behind, that of the owner.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "files/options.hpp"
#include "relay/options.hpp"
#include "runtime/admission.hpp"
#include "runtime/forwarder.hpp"
#include "session/listener.hpp"
#include "simulation/kernel.hpp"
#include "upstream/registry.hpp"

namespace penstock::simulation {

class Rig final : public upstream::QueueBell {
 public:
  static constexpr std::size_t connections_room = 1'000'000;  // never the limit here

  struct Parts {
    base::Instant start{};
    Kernel::Conditions conditions;
    // One of the two.
    std::optional<upstream::ClusterSpec> upstream;
    std::optional<files::Options> files;
    std::array<std::uint64_t, 8> file_bytes{};
    session::Timeouts timeouts;
    relay::Options relay;
  };
  // The first `count` of them at 10.0.0.0:80, or at the unix socket /run/0, and so on.
  static std::vector<upstream::EndpointSpec> endpoints(std::size_t count, bool unix_sockets,
                                                       std::uint32_t max_connections);

  Rig(Random& random, Outside& outside, const Parts& parts);
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // As an acceptor does: with a place of the process and one of the listener.
  void hand_over(const std::shared_ptr<Socket>& client, std::uint64_t id, bool over_limit = false);
  // At the end: violated() where something was not given back.
  void check_given_back() const;

  void ring(std::uint16_t) noexcept override { forwarder.wake_queued(); }
  // REQUIRES: it has one, and for place_of() an endpoint there.
  upstream::Upstream& upstream() const noexcept { return *registry.upstreams().front(); }
  std::size_t place_of(const os::SocketAddress& endpoint) const;

  Kernel kernel;
  session::LogSwitches log;
  runtime::Admission admission{connections_room, {}};
  runtime::RecordBell bell;
  upstream::Registry registry;
  session::Listener listener;
  runtime::Forwarder forwarder;

 private:
  runtime::Forwarder::Setup setup_of(const Parts& parts);
};

}  // namespace penstock::simulation

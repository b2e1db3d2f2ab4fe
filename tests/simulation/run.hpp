#pragma once
// One run as far as it has come: what the seed decided, who is connected, in which part it is. The
// director makes it, the oracle judges by it; what may end a connection by a reset both note there.
//
// Owner    the World. Thread: the forwarder's.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "simulation/kernel.hpp"
#include "simulation/plan.hpp"

namespace penstock::simulation {

struct Peer {
  std::uint64_t to_send = 0;
  bool answers = false;     // finishes only after it has seen our FIN
  bool stalled = false;     // does not read
  std::uint32_t piece = 1;  // the largest piece it sends
};

struct Connection {
  std::array<std::shared_ptr<Socket>, 2> ends;  // client, upstream (of the last attempt)
  std::array<Peer, 2> peers;
  std::uint64_t token = ~std::uint64_t{0};  // what its two sockets share
  bool disturbed = false;                   // something happened that may end it by a reset
  bool recorded = false;
  base::Instant begun{};
};

struct Run {
  Connection& of(const Socket& socket) const {
    return *connections[static_cast<std::size_t>(socket.connection)];
  }
  static bool is_kept(const Socket& socket) noexcept {
    return socket.connection < 0 && !socket.closed;
  }

  const Plan plan;
  std::vector<std::unique_ptr<Connection>> connections{};
  std::vector<std::shared_ptr<Socket>> dialled{};  // since the last wait
  std::vector<std::shared_ptr<Socket>> ready{};    // that were ever kept
  std::uint64_t waits = 0;
  // The endpoint that an operator drains, and after how many waits he said so and was obeyed: the
  // first ping behind that makes the forwarder look.
  struct Drained {
    std::size_t endpoint;
    std::uint64_t said;
    std::optional<std::uint64_t> pinged{};
  };
  std::optional<Drained> drained{};
  bool healed = false;  // no more faults: everything must come to its end
  bool draining = false;
  bool stopping = false;
};

}  // namespace penstock::simulation

#pragma once
// A direction between two real connections: what `sender` writes, `reader` should get.

#include "os/loopback.hpp"
#include "relay/direction.hpp"

namespace penstock::testing {

inline relay::Options relay_options(relay::EnginePolicy engine) {
  relay::Options options;
  options.engine = engine;
  options.pipes_max = 4;
  return options;
}

// Owns both connections; the middle ends are the direction's source and target.
struct Crossing {
  explicit Crossing(relay::EnginePolicy engine, const os::SocketOptions& target_options = {})
      : Crossing{relay_options(engine), target_options} {}
  Crossing(const relay::Options& options, const os::SocketOptions& target_options = {})
      : workspace{options, *std::pmr::new_delete_resource()},
        incoming{tcp_pair()},
        outgoing{tcp_pair(target_options)} {
    source.socket = incoming.server.get();
    target.socket = outgoing.client.get();
    if (options.engine == relay::EnginePolicy::uring) turn_to_ring();
  }
  ~Crossing() {
    direction.discard(source, target, workspace);
    direction.end(workspace);
  }

  int sender() const { return incoming.client.get(); }
  int reader() const { return outgoing.server.get(); }

  // What the poller would say: everything may have changed. A ring says it itself.
  relay::Direction::Run run() {
    if (workspace.ring == nullptr)
      source.readable = source.urgent = source.finishing = true;
    else
      for (const os::Event& event : poller.wait(base::Duration{0}))
        (event.token == 0 ? source : target).note(event);
    direction.take_notices(target, workspace);
    target.writable = true;
    return direction.run(source, target, workspace);
  }
  // Only here: the sockets of the ring are never closed by it.
  void turn_to_ring() {
    if (poller.use_ring(*std::pmr::new_delete_resource())) throw std::runtime_error{"no ring"};
    if (poller.add(source.socket, 0, os::Poller::Reads::asked_for) ||
        poller.add(target.socket, 1, os::Poller::Reads::asked_for))
      throw std::runtime_error{"no place in the ring"};
    workspace.ring = &poller;
  }
  // Runs until the outcome is this one.
  bool run_until(relay::Outcome outcome) {
    return await_fact([&] { return run().outcome == outcome; });
  }

  os::Poller poller = *os::Poller::create();
  relay::Workspace workspace;
  Pair incoming;
  Pair outgoing;
  relay::Side source;
  relay::Side target;
  relay::Direction direction;
};

// Bytes that show where they belong: no two positions close together look alike.
inline std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 2654435761U >> 13);
  return text;
}

}  // namespace penstock::testing

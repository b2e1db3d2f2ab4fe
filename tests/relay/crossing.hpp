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
  }
  ~Crossing() { direction.discard(workspace); }

  int sender() const { return incoming.client.get(); }
  int reader() const { return outgoing.server.get(); }

  // What the poller would say: everything may have changed.
  relay::Direction::Run run() {
    source.readable = source.urgent = source.finishing = true;
    target.writable = true;
    return direction.run(source, target, workspace);
  }
  // Runs until the outcome is this one.
  bool run_until(relay::Outcome outcome) {
    return await_fact([&] { return run().outcome == outcome; });
  }

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

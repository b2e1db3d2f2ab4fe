#pragma once
// Many connections at once, each with both ends talking at the same time: random sizes, random
// pauses, a random order of closing, and every byte compared.
//
// The two ends of a connection do not know each other: each sends a header that names its payload
// (seed and size), then the payload; the other end checks what comes against that. A byte that is
// lost, doubled, swapped or another connection's cannot go unseen.

#include <cstdint>
#include <string>

namespace penstock::e2e {

struct Conversation {
  std::string connect_to;  // where clients go
  int origin = -1;         // the listening socket that the proxy connects to
  std::size_t connections = 1;
  std::size_t bytes_max = 1 << 20;  // per direction, at least 0
  std::uint64_t seed = 1;
};

// Returns when every connection has ended as it should; throws Failure at the first that has not.
// Two threads: all clients, all servers.
void converse(const Conversation& conversation);

}  // namespace penstock::e2e

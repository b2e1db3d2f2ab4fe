#pragma once
// The clients before the proxy: each runs on the calling thread until the deadline and says what it
// has seen.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fairness.hpp"
#include "net.hpp"

namespace penstock::bench {

struct Seen {
  std::uint64_t bytes = 0;      // received
  std::uint64_t exchanges = 0;  // requests answered, or connections completed
  std::vector<std::uint32_t> latencies_ns;
  std::vector<Service> services;  // of each connection; empty where none asks again
};

// `connections` at a time, each sends a request of the next size, waits for as many bytes, and
// begins again.
Seen ping_pong(const Target& proxy, std::size_t connections, const std::vector<std::size_t>& sizes,
               Clock::time_point warm, Clock::time_point end);

// `streams` connections that only receive: `reads` into memory, or discarding in the kernel.
Seen receive_bulk(const Target& proxy, std::size_t streams, bool reads, Clock::time_point warm,
                  Clock::time_point end);

// `concurrent` at a time: connect, send `bytes`, wait for as many, close; and again.
Seen connect_again(const Target& proxy, std::size_t concurrent, std::size_t bytes,
                   Clock::time_point warm, Clock::time_point end);

// Opens `connections`, makes one exchange of 1 byte on each, and leaves them open: returns the
// sockets.
std::vector<int> open_idle(const Target& proxy, std::size_t connections);

}  // namespace penstock::bench

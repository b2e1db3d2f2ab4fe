#pragma once
// Small exchanges over many connections at once, each timed, and one elephant beside them.
//
//   Elephant elephant{penstock.client(), origin.accept()};
//   const Mice mice = run_mice(penstock.address(), origin.descriptor(), 1000, 5);
//   elephant.stop();
//
// Thread   run_mice() the caller's and one of its own; an Elephant has two.
// Errors   Failure at the first byte that is another than was sent; after 60 s.

#include <atomic>
#include <exception>
#include <string>
#include <thread>

#include "e2e/peer.hpp"

namespace penstock::e2e {

struct Mice {
  std::string sent{};      // by the clients, connection after connection
  std::string received{};  // by them: the upstream's echo
  double p50_ms = 0;
  double p99_ms = 0;
};

// Opens `connections`; on each the client sends 64 bytes and waits for their echo, `rounds` times;
// all connections at the same time. Returns when each has ended by FIN.
Mice run_mice(const std::string& proxy, int origin, std::size_t connections, std::size_t rounds);

// Bytes without end from `source` to `target`, each one compared.
class Elephant {
 public:
  Elephant(Peer source, Peer target);
  Elephant(const Elephant&) = delete;
  Elephant& operator=(const Elephant&) = delete;
  ~Elephant();

  std::uint64_t delivered() const noexcept { return delivered_; }
  // FIN after the last byte, and that it arrived; then returns how many bytes there were.
  std::uint64_t stop();

 private:
  void pour();
  void drink();

  Peer source_;
  Peer target_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> poured_{0};
  std::atomic<std::uint64_t> delivered_{0};
  std::exception_ptr failure_;  // of drink(), read after it has ended
  std::thread pouring_;
  std::thread drinking_;
};

}  // namespace penstock::e2e

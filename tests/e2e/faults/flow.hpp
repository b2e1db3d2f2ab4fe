#pragma once
// One way through a proxy: bytes from one end to the other, then FIN, compared as they come and not
// kept. The test decides when who sends and when who reads, so that a reader can stop.
//
//   std::vector<Flow> flows;
//   flows.emplace_back(client, upstream, FlowOptions{.bytes = 1 << 20, .seed = run_seed()});
//   stuff(flows);                       // until nothing more is taken
//   ...                                 // here everything stands still
//   run(flows);                         // to the end
//   CHECK(flows[0].whole());
//
// Owner    the test; both peers outlive the flow. Thread: the test's; no verb waits but run() and
//          stuff().
// Errors   what the proxy does to a connection is a figure here, never an exception.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/faults/digest.hpp"
#include "e2e/peer.hpp"

namespace penstock::e2e {

struct FlowOptions {
  std::uint64_t bytes = 0;  // any number, 64 bits
  std::uint64_t seed = 0;
  std::size_t segment = std::size_t{1} << 20;   // bytes per send, at most
  std::uint64_t segmented = ~std::uint64_t{0};  // that many bytes go so, the rest as it fits
  bool fin = true;                              // after the last byte
};

class Flow {
 public:
  Flow(Peer& sender, Peer& receiver, FlowOptions options)
      : sender_{&sender}, receiver_{&receiver}, options_{options} {}

  // Without waiting; true where something happened.
  bool send_some(std::size_t bytes_max = ~std::size_t{0});
  bool receive_some();

  // Everything arrived, and FIN where it was sent; or nothing more can come.
  bool finished() const noexcept;
  // ... and each byte is the one that was sent.
  bool whole() const noexcept;

  std::uint64_t bytes() const noexcept { return options_.bytes; }
  std::uint64_t sent() const noexcept { return sent_; }
  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t wrong_bytes() const noexcept { return wrong_bytes_; }
  Ending ending() const noexcept { return ending_; }
  std::string digest() const { return digest_.text(); }

 private:
  // From this offset on, up to the end of its block.
  std::string_view bytes_at(std::uint64_t offset) const;
  bool send_piece(std::size_t bytes_max);
  bool send_fin();
  void take(std::string_view bytes);

  Peer* sender_;
  Peer* receiver_;
  FlowOptions options_;
  Digest digest_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t wrong_bytes_ = 0;
  bool sent_fin_ = false;
  bool sender_failed_ = false;  // nobody takes its bytes any more
  Ending ending_ = Ending::open;
};

// Sends until nothing was taken for a while; nobody reads.
void stuff(std::vector<Flow>& flows);
// Sends and reads until all have finished, or the deadline.
void run(std::vector<Flow>& flows, Milliseconds deadline = 60s);
// How many are whole.
std::size_t whole_of(const std::vector<Flow>& flows);
// " (5 of 9 bytes, RST)" of the first that is not, for a table; empty where all are.
std::string first_fault(const std::vector<Flow>& flows);

}  // namespace penstock::e2e

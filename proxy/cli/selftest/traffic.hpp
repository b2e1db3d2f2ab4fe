#pragma once
// Traffic of the self-test: two ends of one connection through the proxy, driven from one thread.
//
// Errors   every function throws SelftestFault, with a sentence that says what differed and where,
//          or that nothing moved any more.

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "os/fd.hpp"
#include "os/poller.hpp"

namespace penstock::cli {

class SelftestFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The two ends, non-blocking, and something to wait with.
struct SelftestLink {
  os::Fd client;
  os::Fd origin;
  os::Poller poller;
};

// The byte at `offset` of the stream with this number. No two places near each other look alike.
std::byte selftest_byte(std::uint64_t stream, std::uint64_t offset) noexcept;

// One way: bytes of a stream, in pieces from one byte to 256 KiB, and FIN where that is wanted.
class SelftestFlow {
 public:
  SelftestFlow(int from, int to, std::uint64_t stream, std::uint64_t bytes, bool then_fin);

  bool send_some();     // true where something moved
  bool receive_some();  // likewise
  bool is_sent() const noexcept { return sent_ == bytes_ && (!then_fin_ || fin_sent_); }
  bool is_done() const noexcept { return received_ == bytes_ && (!then_fin_ || fin_came_); }
  std::string progress() const;

 private:
  void check(std::span<const std::byte> arrived) const;

  int from_;
  int to_;
  std::uint64_t stream_;
  std::uint64_t bytes_;
  bool then_fin_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::size_t piece_ = 0;
  bool fin_sent_ = false;
  bool fin_came_ = false;
};

// Drives them until all are done.
void run_flows(SelftestLink& link, std::span<SelftestFlow> flows);

// The scenarios. Each takes a fresh connection.
void try_bytes(SelftestLink& link);        // both ways at once
void try_half_close(SelftestLink& link);   // one way ends, and the other goes on
void try_urgent(SelftestLink& link);       // abc, an urgent X, def
void try_slow_reader(SelftestLink& link);  // the sender is stopped, and loses nothing

// Of a static server: the answer to a request, and whether its body is this stretch of the stream.
void send_text(SelftestLink& link, std::string_view text);
void expect_body(SelftestLink& link, std::uint64_t stream, std::uint64_t begin, std::uint64_t bytes,
                 bool slowly);

}  // namespace penstock::cli

#pragma once
// Clients and endpoints around one real forwarder in the simulated kernel: what they want, what the
// seed lets them do, and the judge of what they see.
//
// First everything is random: bytes in pieces of any size, urgent marks, readers that stop, resets,
// calls that fail. Then the faults are healed, and everything must arrive and the loop must sleep
// (the liveness check of TigerBeetle's simulator: safety first, then convergence).
//
// Thread   the forwarder's.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "runtime/forwarder.hpp"
#include "simulation/kernel.hpp"
#include "upstream/registry.hpp"

namespace penstock::simulation {

// Prints what was violated, the seed and the step, and ends the process.
[[noreturn]] void violated(const char* invariant, int connection, const std::string& what);

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

// What a seed decides once.
struct Plan {
  std::size_t connections = 1;
  std::uint64_t turns = 0;  // of the world before it heals
  std::uint64_t bytes_max = 0;
  std::uint32_t piece_max = 64 * 1024;  // what arrives at once
  relay::Options relay;
  session::Timeouts timeouts;
  Kernel::Conditions conditions;
  bool resets = false;          // peers may reset, vanish, refuse
  bool short_timeouts = false;  // so that they end connections
  bool jumps = false;           // the process may stand still for seconds
  bool drains = false;
  bool pings = false;          // control asks once a second, and so stalls are looked for
  std::uint32_t places = 0;    // at each endpoint; who finds none waits in line; 0 = no limit
  base::Duration patience{0};  // in line; 0 = without end
  bool crowd = false;          // more sockets are ready, at any time, than one wait can tell of
  base::Instant start{};
};
Plan plan_from(Random& random);

// What came about, for the summary.
struct Tally {
  std::uint64_t connections = 0;
  std::uint64_t steps = 0;
  std::array<std::uint64_t, relay::engine_names.size()> bytes{};
  std::array<std::uint64_t, session::close_reason_names.size()> reasons{};
};

class World final : public upstream::QueueBell {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() override;

  // The whole life of the forwarder. Ends the process on a violation.
  void run(Tally& tally);

  // Called by the kernel.
  bool act();  // one thing that somebody outside does; false: nobody has anything to do
  void act_now_and_then();
  void ring(std::uint16_t) noexcept override { forwarder_->call(); }
  void at_rest();  // the loop sleeps without a deadline and nobody has anything to do
  bool healed() const noexcept { return healed_; }
  void collect_records();
  void registered(const std::shared_ptr<Socket>& socket, std::uint64_t token);
  void sends(const Socket& target, std::span<const std::byte> bytes);
  void unchanged(const Socket& target, std::span<const std::byte> bytes, std::uint64_t offset);
  void splices(const Socket& target, int connection, unsigned side, std::uint64_t offset);
  void finishes(const Socket& target);
  void resets(const Socket& target);
  void call_failed(const Socket* socket);
  void fill(std::span<std::byte> into, int connection, unsigned side, std::uint64_t offset) const;
  void holds(const Socket& source);
  void sleeps();  // the loop found nothing to do
  void waits();   // it asks for events
  base::Instant next_ping() const noexcept { return next_ping_; }
  void ping();

 private:
  void open_connection();
  static std::string describe(const Connection& connection);
  bool act_on(Connection& connection, unsigned side);
  bool decide_connect(Connection& connection, Socket& socket);
  bool deliver(Socket& socket, const Peer& peer);
  bool take(Socket& socket, const Peer& peer);
  bool disturb(Connection& connection, Socket& socket);
  void heal();
  bool settle();
  void jump_or_drain();
  void stand_still();
  Connection& pick_live();
  Connection& of(const Socket& socket);
  void check_end() const;
  void check_places() const;
  void check_record(const session::Record& record);
  bool is_whole(const Connection& connection) const;
  void prepare_content();
  const std::byte* content_at(int connection, unsigned side, std::uint64_t offset) const;

  Random random_;
  const Plan plan_;
  Kernel kernel_;
  std::vector<std::byte> content_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::uint64_t turns_left_;
  bool healed_ = false;
  bool draining_ = false;
  bool stopping_ = false;
  std::size_t settled_ = 0;  // where settle() goes on
  base::Instant next_ping_ = base::never;
  unsigned last_pings_ = 0;
  unsigned late_waits_ = 0;  // in a row, while a deadline has passed
  Tally tally_;

  session::LogSwitches log_;
  runtime::Admission admission_;
  runtime::RecordBell bell_;
  std::unique_ptr<upstream::Registry> registry_;
  session::Listener listener_;
  std::unique_ptr<runtime::Forwarder> forwarder_;
};

}  // namespace penstock::simulation

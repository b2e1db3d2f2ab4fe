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
#include "simulation/outside.hpp"
#include "simulation/plan.hpp"
#include "upstream/registry.hpp"

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

class World final : public Outside, public upstream::QueueBell {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() override;

  // The whole life of the forwarder. Ends the process on a violation.
  void run(Tally& tally);

  bool act() override;
  void act_now_and_then() override;
  void at_rest() override;
  bool healed() const noexcept override { return healed_; }
  void collect_records() override;
  base::Instant next_ping() const noexcept override { return next_ping_; }
  void ping() override;
  void registered(const std::shared_ptr<Socket>& socket, std::uint64_t token) override;
  void fill(std::span<std::byte> into, int connection, unsigned side,
            std::uint64_t offset) override;
  void sends(const Socket& target, std::span<const std::byte> bytes) override;
  void finishes(const Socket& target) override;
  void resets(const Socket& target) override;
  void call_failed(const Socket* socket) override;
  void sleeps() override;
  void waits() override;
  int error_at_once(const os::SocketAddress& endpoint) override;
  void attempted() noexcept override { ++attempts_; }
  void unchanged(const Socket& target, std::span<const std::byte> bytes,
                 std::uint64_t offset) override;
  void splices(const Socket& target, int connection, unsigned side, std::uint64_t offset) override;
  void holds(const Socket& source) override;
  void ring(std::uint16_t) noexcept override { forwarder_->wake_queued(); }

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
  void check_pace(std::size_t place);
  bool queues_are_full();
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
  // Of connect(), by endpoint.
  struct Asked {
    unsigned times = 0;
    base::Instant last{};  // the loop's time
    bool was_full = false;
  };
  std::array<Asked, Plan::endpoints> asked_{};
  std::uint64_t attempts_ = 0;
  std::uint64_t attempts_recorded_ = 0;
  base::Instant full_until_{};
  base::Instant next_full_{};
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

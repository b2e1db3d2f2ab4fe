#pragma once
// Clients of a static listener around one real forwarder in the simulated kernel.
//
// As in World, first everything is random, a drain among it, and then the faults are healed. Each
// client has requests for files; one that does not pipeline sends the next when it has the answer.
//
// Thread   the forwarder's.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "simulation/kernel.hpp"
#include "simulation/outside.hpp"
#include "simulation/plan.hpp"
#include "simulation/rig.hpp"

namespace penstock::simulation {

struct Request {
  unsigned file = 0;
  bool asks_close = false;
  std::uint64_t end = 0;           // of the stream of its client
  std::uint64_t read_at_wait = 0;  // the whole of it
};

// What comes back, as far as it is known.
struct Answers {
  std::string head;                 // until it is whole
  std::uint64_t body_left = 0;      // of the answer whose head is whole
  std::uint64_t body_at = 0;        // the offset of the next byte of its body
  int status = 0;                   // of the last head
  std::vector<std::uint64_t> ends;  // of the stream
  bool told = false;                // that the connection ends
};

struct Client {
  std::shared_ptr<Socket> end;
  std::string text;  // of all requests
  std::vector<Request> requests;
  Answers answers;
  bool pipelines = false;
  bool leaves = false;     // finishes behind its last request
  bool stalled = false;    // does not read
  bool disturbed = false;  // something happened that may end it otherwise
  bool recorded = false;
  std::uint32_t piece = 1;
  base::Instant moved{};       // a byte, in either direction
  base::Instant head_began{};  // the first byte of a request that is not whole was read

  std::size_t answered() const noexcept { return answers.ends.size(); }
  bool within_answer() const noexcept { return !answers.head.empty() || answers.body_left > 0; }
  std::size_t requests_within(std::uint64_t bytes) const noexcept;
  std::uint64_t end_of(std::size_t requests) const noexcept;
};

class FileWorld final : public Outside {
 public:
  explicit FileWorld(std::uint64_t seed);
  FileWorld(const FileWorld&) = delete;
  FileWorld& operator=(const FileWorld&) = delete;

  // The whole life of the forwarder. Ends the process on a violation.
  void run(Tally& tally);

  bool act() override;
  void act_now_and_then() override;
  void at_rest() override;
  bool healed() const noexcept override { return healed_; }
  void collect_records() override;
  void registered(const std::shared_ptr<Socket>& socket, std::uint64_t token) override;
  void fill(std::span<std::byte> into, int connection, unsigned side,
            std::uint64_t offset) override;
  void sends(const Socket& target, std::span<const std::byte> bytes) override;
  void finishes(const Socket& target) override;
  void resets(const Socket& target) override;
  void call_failed(const Socket* socket) override;
  void sleeps() override;
  void waits() override { ++waits_; }

 private:
  void open_connection();
  void make_requests(Client& client);
  bool act_on(Client& client);
  bool deliver(Client& client);
  bool take(Client& client);
  void disturb(Client& client);
  void drain();
  void cut_a_file();
  void heal();

  void take_body(Client& client, std::span<const std::byte>& bytes);
  void take_head(Client& client);
  void check_told(Client& client, bool told) const;
  void check_end_by_us(const Client& client) const;
  void check_record(const session::Record& record);
  void check_end() const;
  Client& of(const Socket& socket) {
    return *clients_[static_cast<std::size_t>(socket.connection)];
  }
  bool is_being_drained(const Request& request) const noexcept;

  Random random_;
  const Plan plan_;
  const std::array<std::uint64_t, 8> first_bytes_;  // of each file, before it was cut
  Rig rig_;
  std::array<bool, 8> cut_{};
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t turns_left_;
  std::uint64_t waits_ = 0;
  std::uint64_t drain_began_at_wait_ = 0;
  base::Instant drain_deadline_ = base::never;
  bool healed_ = false;
  bool stopping_ = false;
  std::size_t settled_ = 0;
  Tally tally_;
};

}  // namespace penstock::simulation

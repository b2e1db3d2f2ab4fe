#pragma once
// Several acceptors at the limits that they share: places (runtime.max_connections), a table of
// descriptors of which others of the process take some, too, and rings to forwarders that may be
// full. Clients come and connections end when the seed says so, between any two calls.
//
// In the end the faults are healed, everybody who waits must be taken, and the sockets close.

#include <array>
#include <memory>
#include <vector>

#include "simulation/accept_thread.hpp"
#include "simulation/outside.hpp"
#include "simulation/plan.hpp"

namespace penstock::simulation {

class AcceptWorld final : public Outside {
 public:
  explicit AcceptWorld(std::uint64_t seed);
  AcceptWorld(const AcceptWorld&) = delete;
  AcceptWorld& operator=(const AcceptWorld&) = delete;

  // The whole life of the acceptors. Ends the process on a violation.
  void run(Tally& tally);

  bool act() override;
  void act_now_and_then() override;
  void at_rest() override;
  bool healed() const noexcept override { return healed_; }
  void call_failed(const Socket* socket) override;

 private:
  static constexpr std::size_t acceptors = 2;
  using Connection = std::array<os::Fd, 2>;  // to the endpoint only where a descriptor was left

  bool happen();
  bool let_one_work();
  bool arrive();
  bool serve();
  bool end_one();
  bool change_others();
  bool stop_some();
  void heal();
  void pass();
  void give_reason() noexcept;
  bool has_room(const AcceptThread& thread) const noexcept;
  void note_room() noexcept;
  void check_nobody_is_forgotten();
  void check_places() const;

  Random random_;
  Kernel kernel_;
  std::array<os::Wakeup, acceptors> bells_;
  const std::size_t places_;
  runtime::Admission admission_;
  std::vector<std::unique_ptr<AcceptThread>> threads_;
  std::array<base::Instant, acceptors> no_room_at_;  // last
  std::vector<Connection> connections_;              // that forwarders serve
  std::vector<os::Fd> of_others_;
  std::uint64_t turns_left_;
  std::uint64_t pace_;  // something happens in one turn of so many
  std::uint64_t arrivals_ = 0;
  bool healed_ = false;
  bool closing_ = false;  // all sockets
  bool over_ = false;
};

}  // namespace penstock::simulation

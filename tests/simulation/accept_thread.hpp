#pragma once
// An acceptor's thread in the simulated kernel: the real decisions, and for hands listening sockets
// whose queues the world fills and a ring to a forwarder that the world empties.
//
// Owner    AcceptWorld. Threads run one at a time; another one may run while this one is in a call.
// Rings    in vain are counted: how often its bell rang, and it took nobody, since something
//          happened that may be a reason to ring (note_reason).

#include <deque>
#include <memory>
#include <vector>

#include "os/fd.hpp"
#include "os/wakeup.hpp"
#include "runtime/accepting.hpp"
#include "simulation/kernel.hpp"

namespace penstock::simulation {

class AcceptThread final : public runtime::Accepting::Hands {
 public:
  struct ListeningSocket {
    std::deque<std::shared_ptr<Socket>> queue;
    bool awaited = false;
    bool turns_away = false;
    bool may_empty = false;  // the handshakes under way have settled
    bool closed = false;
  };

  AcceptThread(std::size_t index, std::size_t sockets, std::size_t ring_room,
               runtime::Admission& admission, os::Wakeup& bell, Kernel& kernel)
      : bell_{bell},
        kernel_{kernel},
        ring_room_{ring_room},
        sockets_(sockets),
        accepting_{index, sockets, admission, *this} {}

  void start() { accepting_.start(); }
  bool has_work() const noexcept;
  void work();  // one thing that it was woken for
  bool is_working() const noexcept { return working_; }
  bool is_rung() const noexcept { return kernel_.notified(bell_.descriptor()); }
  void note_reason() noexcept { rings_in_vain_ = 0; }
  // Some sockets are closed once their queues are empty; all of them if `all`. Some may be stopping
  // already.
  void begin_stop(bool all);

  std::vector<ListeningSocket>& sockets() noexcept { return sockets_; }
  base::Instant timer() const noexcept { return timer_; }
  bool has_ring_room() const noexcept { return ring_.size() < ring_room_; }
  std::deque<os::Fd>& ring() noexcept { return ring_; }
  // Who has a place: in its hands and in the ring.
  std::size_t holds() const noexcept { return ring_.size() + (held_ ? 1 : 0); }

  runtime::Accepting::Taken take(std::size_t socket) override;
  bool hand_on() noexcept override;
  void wake_forwarders() noexcept override {}
  void await(std::size_t socket) override { sockets_[socket].awaited = true; }
  void start_timer(base::Duration time) override { timer_ = kernel_.now() + time; }
  void stop_timer() noexcept override { timer_ = base::never; }
  void turn_away_newcomers(std::size_t socket) override { sockets_[socket].turns_away = true; }
  void close(std::size_t socket) override;
  void emptied(std::size_t socket) override;

 private:
  bool somebody_waits_at(const ListeningSocket& socket) const noexcept;

  os::Wakeup& bell_;
  Kernel& kernel_;
  const std::size_t ring_room_;
  std::vector<ListeningSocket> sockets_;
  std::deque<os::Fd> ring_;
  os::Fd held_;
  base::Instant timer_ = base::never;
  bool working_ = false;
  std::uint64_t taken_ = 0;
  unsigned rings_in_vain_ = 0;
  runtime::Accepting accepting_;
};

}  // namespace penstock::simulation

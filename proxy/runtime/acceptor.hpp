#pragma once
// A thread that accepts connections and hands them to forwarders.
//
// Owner    the Server. Waits with Asio, which runs on this thread and on control's, never on a
//          forwarder.
// Group    several acceptors have a socket each at every TCP address (os/reuseport.hpp); a unix
//          socket belongs to the first.
// Batches  a forwarder that shares its CPU with the acceptor is not preempted by it (SCHED_BATCH),
//          but goes on until it sleeps, and finds a batch.
// Decides  nothing: when to accept, to pause and to go on is Accepting's to say.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/counter.hpp"
#include "os/address.hpp"
#include "os/fd.hpp"
#include "os/socket_file.hpp"
#include "runtime/accepting.hpp"
#include "runtime/admission.hpp"
#include "runtime/hand_off.hpp"
#include "runtime/placement.hpp"
#include "runtime/thread_place.hpp"
#include "session/listener.hpp"

namespace penstock::os {
class Wakeup;
}

namespace penstock::runtime {

class Forwarder;
class ThreadLock;

// A socket that listens at an address of a listener, on its way to an acceptor.
struct BoundSocket {
  os::Fd socket;
  os::SocketAddress address;
  os::SocketFile file;
  session::Listener* listener = nullptr;
};

class Acceptor final : private Accepting::Hands {
 public:
  // Connections get the ids index, index + stride, ... `resume` is this acceptor's bell in
  // Admission.
  struct Setup {
    std::size_t index = 0;
    std::size_t stride = 1;
    ThreadPlan plan;
  };
  Acceptor(Setup setup, std::vector<BoundSocket> sockets, std::vector<Forwarder*> forwarders,
           Admission& admission, os::Wakeup& resume);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  // The thread applies `lock` to itself once it has settled; none: runtime.sandbox is off.
  void start(const ThreadLock* lock);
  // Any thread: notes soon on which CPU it runs.
  void ping();
  const Setup& setup() const noexcept { return setup_; }
  const ThreadPlace& place() const noexcept { return place_; }
  std::uint64_t accepted() const noexcept { return accepted_.value(); }
  // Given to another node, for ours was over its share.
  std::uint64_t passed_on() const noexcept { return passed_on_.value(); }
  // Any thread: the listeners whose index `which` has stop without resetting what is queued; then
  // `done` is called, on the acceptor's thread.
  void stop_accepting(std::vector<bool> which, std::function<void()> done);
  // Any thread: closes the listeners as they are and ends the thread.
  void stop();

 private:
  struct ListeningSocket;
  struct Waits;  // Asio's own types stay in the .cpp

  void run(const ThreadLock* lock);
  void listen_for_resume();

  Accepting::Taken take(std::size_t socket) override;
  bool hand_on() noexcept override;
  void wake_forwarders() noexcept override;
  void await(std::size_t socket) override;
  void start_timer(base::Duration time) override;
  void stop_timer() noexcept override;
  void turn_away_newcomers(std::size_t socket) override;
  void close(std::size_t socket) override;
  void emptied(std::size_t socket) override;

  const Setup setup_;
  const std::vector<Forwarder*> forwarders_;
  os::Wakeup& resume_;
  Accepting accepting_;
  const std::unique_ptr<Waits> waits_;
  std::vector<std::unique_ptr<ListeningSocket>> sockets_;
  std::optional<session::Arrival> held_;  // from take() to hand_on()
  std::uint64_t next_id_;
  std::vector<bool> offered_;  // per forwarder: to be woken at the end of this batch
  HandOff hand_off_;
  std::vector<std::size_t> loads_;  // of the forwarders, as choose() takes them
  base::Counter accepted_;
  base::Counter passed_on_;
  ThreadPlace place_;
  std::thread thread_;
};

}  // namespace penstock::runtime

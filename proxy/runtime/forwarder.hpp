#pragma once
// A thread that moves bytes: its poller, its timers, its sessions.
//
// Owner    the Server. Everything inside belongs to the forwarder's own thread, but for what says
//          otherwise: the senders' side of the inbox, the rings towards control, and the counters
//          (read by anyone). Each step of the loop checks that.
// Loop     take commands and arrivals (runtime/inbox), run who is ready, fire timers
//          (runtime/poll_fairness says when), give bulk its turn (runtime/run_queue), sleep.
//          Once a second, when control asks for an answer, look for who sleeps in vain.
// Errors   out of memory for a new session: the connection is reset and counted as overload.

#include <memory_resource>
#include <optional>
#include <thread>
#include <vector>

#include "base/counter.hpp"
#include "base/limits.hpp"
#include "base/owner_thread.hpp"
#include "base/spin_gauge.hpp"
#include "base/spsc_ring.hpp"
#include "base/time.hpp"
#include "base/timer_wheel.hpp"
#include "files/site_cache.hpp"
#include "os/poller.hpp"
#include "os/wakeup.hpp"
#include "relay/counters.hpp"
#include "relay/options.hpp"
#include "relay/workspace.hpp"
#include "runtime/admission.hpp"
#include "runtime/command.hpp"
#include "runtime/inbox.hpp"
#include "runtime/ping_answer.hpp"
#include "runtime/placement.hpp"
#include "runtime/poll_fairness.hpp"
#include "runtime/round_times.hpp"
#include "runtime/run_queue.hpp"
#include "runtime/sleep_flag.hpp"
#include "runtime/stall_sampler.hpp"
#include "runtime/thread_place.hpp"
#include "session/context.hpp"
#include "session/counters.hpp"
#include "session/flight_recorder.hpp"
#include "session/listener.hpp"
#include "session/record.hpp"
#include "session/session.hpp"
#include "session/session_table.hpp"
#include "session/stall.hpp"

namespace penstock::files {
class Site;
}

namespace penstock::runtime {

// Tells control that records are waiting.
struct RecordBell {
  SleepFlag control;
  os::Wakeup wakeup;
};

class Forwarder {
 public:
  struct Setup {
    std::uint16_t index = 0;
    ThreadPlan plan;
    relay::Options relay;
    std::size_t acceptors = 1;
    std::size_t listeners = 0;
    std::vector<upstream::Upstream*> upstreams;
    std::vector<const files::Site*> sites;
    const std::atomic<bool>* upstreams_stale = nullptr;  // control is to look at them
    base::SpinGauge spin{};                              // poll so long before sleeping
  };
  // `memory` is its own. Throws (start-up only).
  Forwarder(Setup setup, const session::LogSwitches& log, Admission& admission, RecordBell& bell,
            std::pmr::memory_resource& memory);
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;
  ~Forwarder();

  // --- by control ---
  // The thread applies `lock` to itself once it has settled; none: runtime.sandbox is off.
  void start(const ThreadLock* lock);
  // It ends after this round; what is left then is reset. Any number of times.
  void request_stop() noexcept { inbox_.request_stop(); }
  void join();  // after request_stop()
  // See CommandOutbox. False where the ring is full.
  [[nodiscard]] bool command(const Command& command) noexcept { return inbox_.command(command); }
  base::SpscRing<session::Record>& records() noexcept { return records_; }
  base::SpscRing<session::Stall>& stalls() noexcept { return stalls_; }

  // --- by acceptor `sender` ---
  // False where its ring is full; the arrival stays the sender's. At the end of a batch of offers
  // comes wake_for_arrivals(), once.
  [[nodiscard]] bool offer(std::size_t sender, session::Arrival& arrival) noexcept;
  void wake_for_arrivals() noexcept { inbox_.wake(); }

  // --- by any thread ---
  // Somebody who is queued here may have a place at an endpoint.
  void wake_queued() noexcept { inbox_.wake_queued(); }
  // Connections here or on their way here.
  std::size_t load() const noexcept { return load_.load(std::memory_order_relaxed); }
  const relay::Counters& relay_counters() const noexcept { return workspace_.counters(); }
  const files::SiteCaches& sites() const noexcept { return sites_; }
  const session::Counters& session_counters() const noexcept { return counters_; }
  const Setup& setup() const noexcept { return setup_; }
  const RoundTimes& rounds() const noexcept { return rounds_; }
  const ThreadPlace& place() const noexcept { return place_; }
  // 0, or the errno with which the kernel refused a ring. Empty where it was not asked (yet).
  std::optional<int> ring_refusal() const noexcept {
    const int refusal = ring_refusal_.load(std::memory_order_relaxed);
    return refusal < 0 ? std::nullopt : std::optional{refusal};
  }
  const PingAnswer& answer() const noexcept { return answer_; }

 private:
  void run(const ThreadLock* lock) noexcept;
  void settle_in(const ThreadLock* lock) noexcept;
  void use_ring() noexcept;
  void take_commands() noexcept;
  void obey(const Command& command) noexcept;
  void take_arrivals() noexcept;
  void resume_queued() noexcept;
  void take_in(session::Arrival& arrival) noexcept;
  void refuse(const session::Arrival& arrival) noexcept;
  void fire_timers() noexcept;
  void sample_stalls() noexcept;
  void run_ready() noexcept;
  void run_bulk() noexcept;
  void wait_for_events() noexcept;
  void stood_still_until(base::Instant end) noexcept;
  base::Duration rest() noexcept;
  void follow(session::Session& session, session::Next next) noexcept;
  void end(session::Session& session) noexcept;
  template <class Visit>
  void visit_in_turn(base::Duration timeout, Visit&& visit) noexcept;
  void begin_drain(base::Duration timeout) noexcept;
  void remove_endpoints(const Command& command) noexcept;
  void cut_all() noexcept;
  void ring_for_records() noexcept;

  const Setup setup_;
  std::pmr::memory_resource& memory_;
  Admission& admission_;
  RecordBell& bell_;
  base::SpscRing<session::Record> records_;
  base::SpscRing<session::Stall> stalls_;
  alignas(base::cache_line_bytes) std::atomic<std::size_t> load_{0};

  base::OwnerThread owner_;
  os::Poller poller_;
  Inbox inbox_;
  base::TimerWheel timers_;
  relay::Workspace workspace_;
  session::Counters counters_;
  session::FlightRecorders recorders_;
  files::SiteCaches sites_;
  session::SessionTable table_;
  session::Context context_;
  RunQueue run_queue_;
  PollFairness fairness_;
  base::SpinGauge spin_;
  StallSampler sampler_;
  bool sample_due_ = false;
  ThreadPlace place_;
  std::atomic<int> ring_refusal_{-1};
  RoundTimes rounds_;
  PingAnswer answer_;
  std::thread thread_;
};

}  // namespace penstock::runtime

#pragma once
// The life of a running proxy on the control thread: signals, the tick of a second, and the drain.
//
//   starting -> ready -> grace -> stopping -> draining -> cutting -> stopped
//
//   ready      accepting
//   grace      not ready any more, still accepting, for runtime.drain.grace
//   stopping   the listeners stop without resetting what is queued; those that are endpoints of our
//              own stop after the others (control/listener_stop.hpp)
//   draining   connections end by themselves or are closed, for at most runtime.drain.timeout
//   cutting    what is left was reset; its last records are on their way
//
// The first signal means the same whoever asked for the drain before it: a supervisor that sends
// SIGTERM after POST /drain does not want the connections reset. The second leads from anywhere
// straight to cutting.
//
// Bound    a drain ends grace + timeout after it was asked for, and the process a second later at
//          most, whatever clients, peers and log targets do.
//
// Owner    run(). Thread: control.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/api.hpp"
#include "base/rate_limited.hpp"
#include "control/confinement.hpp"
#include "control/listener_stop.hpp"
#include "control/signals.hpp"
#include "control/watch/forwarder.hpp"
#include "control/watch/numa.hpp"
#include "control/watch/record_pump.hpp"
#include "control/watch/ring.hpp"
#include "io/alarm.hpp"
#include "io/control_watch.hpp"
#include "os/cgroup.hpp"

namespace penstock::control {

enum class Stage : std::uint8_t { starting, ready, grace, stopping, draining, cutting, stopped };
inline constexpr base::EnumNames<Stage, 7> stage_names{
    {"starting", "ready", "grace", "stopping", "draining", "cutting", "stopped"}};
static_assert(stage_names[Stage::stopped] == "stopped");

class Lifecycle {
 public:
  struct Parts {
    boost::asio::io_context& io;
    Signals& signals;
    const upstream::Registry& registry;
    runtime::Server& server;
    ForwarderWatch& watch;
    report::AccessLog& access_log;
    UpstreamControl& upstreams;
    logging::Log& log;
    const Confinement& confinement;
  };
  explicit Lifecycle(const Parts& parts);
  Lifecycle(const Lifecycle&) = delete;
  Lifecycle& operator=(const Lifecycle&) = delete;

  // Starts the server and returns when everything has ended: all threads are joined, all records
  // are in the access log. False where it could not go on after the threads had started.
  bool run();

  // As SIGTERM; does nothing where a drain runs already. Before run() it is noted, and begins
  // there.
  void begin_drain(std::string_view asked_by);

  // Calls `told` once the drain has ended, as the last thing before run() returns.
  void at_end(std::function<void(const admin::DrainEnd&)> told);

  Stage stage() const noexcept { return stage_; }
  // Calls of the loop that took too long.
  std::uint64_t blocked_calls() const noexcept { return own_watch_.blocked(); }
  // Called once in a drain, when the last listener has been closed: a successor may have it.
  void when_listeners_closed(std::function<void()> call) { when_closed_ = std::move(call); }

  // Somebody wants the end already while it starts.
  bool is_wanted_to_end() const noexcept { return !drain_asked_by_.empty(); }
  // Until when the logs may be flushed.
  base::Instant ends_by() const noexcept;

 private:
  void on_signal(Signal signal, const char* name);
  void stop(const char* signal_name);
  void enter(Stage stage);
  void stop_accepting();
  void drain_connections();
  void wait_for_the_last_one(base::Instant deadline, void (Lifecycle::*then)());
  void cut();
  void finish();
  void look_at_placement(base::Instant now);
  bool lock();
  void tell_refusals();
  void tick();
  void warn_of_lost_lines(base::Instant now);
  void warn_of_overload(base::Instant now);
  void warn_of_pause(base::Instant now);
  std::uint64_t lines_lost() const;
  std::uint64_t closed_for_overload() const;
  std::uint64_t connections_ended() const;
  admin::DrainEnd drain_end() const;

  Parts parts_;
  RecordPump pump_;
  io::ControlWatch own_watch_;
  NumaWatch numa_watch_;
  RingWatch ring_watch_;
  ListenerStop listener_stop_;
  const bool has_cpu_quota_ = os::cpu_quota().has_value();
  io::Alarm stage_timer_;
  io::Alarm tick_timer_;
  Stage stage_ = Stage::starting;
  std::string drain_asked_by_;  // empty = nobody did
  int stop_signals_ = 0;
  base::Instant cut_at_ = base::never;  // once a drain was asked for
  std::function<void()> when_closed_;
  std::uint64_t ended_before_drain_ = 0;  // connections
  std::vector<std::function<void(const admin::DrainEnd&)>> at_end_;
  bool queues_empty_ = false;   // the acceptors have taken in whoever was let in
  bool unlocked_told_ = false;  // of threads that could not lock themselves
  base::RateLimited lost_lines_;
  base::RateLimited overload_;
  base::RateLimited pause_;
};

}  // namespace penstock::control

#pragma once
// The life of a running proxy on the control thread: signals, the tick of a second, and the drain.
//
//   starting -> ready -> grace -> stopping -> draining -> cutting -> stopped
//
//   ready      accepting
//   grace      not ready any more, still accepting, for runtime.drain.grace
//   stopping   the listeners stop without resetting what is queued
//   draining   connections end by themselves or are closed, for at most runtime.drain.timeout
//   cutting    what is left was reset; its last records are on their way
//
// A second signal leads from anywhere straight to cutting.
//
// Owner    run(). Thread: control.

#include <string>
#include <string_view>
#include <vector>

#include "control/admin_view.hpp"
#include "control/confinement.hpp"
#include "control/control_watch.hpp"
#include "control/forwarder_watch.hpp"
#include "control/numa_watch.hpp"
#include "control/record_pump.hpp"
#include "control/ring_watch.hpp"
#include "control/signals.hpp"
#include "os/cgroup.hpp"
#include "upstream/alarm.hpp"

namespace penstock::control {

enum class Stage : std::uint8_t { starting, ready, grace, stopping, draining, cutting, stopped };
inline constexpr base::EnumNames<Stage, 7> stage_names{
    {"starting", "ready", "grace", "stopping", "draining", "cutting", "stopped"}};
static_assert(stage_names[Stage::stopped] == "stopped");

class Life {
 public:
  struct Parts {
    boost::asio::io_context& io;
    Signals& signals;
    runtime::Server& server;
    ForwarderWatch& watch;
    AccessLog& access_log;
    UpstreamControl& upstreams;
    base::Log& log;
    const Confinement& confinement;
  };
  explicit Life(const Parts& parts);
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  // Starts the server and returns when everything has ended: all threads are joined, all records
  // are in the access log. False where it could not go on after the threads had started.
  bool run();

  // As SIGTERM; does nothing where a drain runs already. Before run() it is noted, and begins
  // there.
  void begin_drain(std::string_view asked_by);

  // Calls `told` once the drain has ended, as the last thing before run() returns.
  void at_end(std::function<void(const DrainEnd&)> told);

  Stage stage() const noexcept { return stage_; }
  // Calls of the loop that took too long.
  std::uint64_t blocked_calls() const noexcept { return own_watch_.blocked(); }

 private:
  void on_signal(Signal signal, const char* name);
  void enter(Stage stage);
  void stop_accepting();
  void drain_connections();
  void wait_for_the_last_one(base::Instant deadline, void (Life::*then)());
  void cut();
  void finish();
  void look_at_placement(base::Instant now);
  bool lock();
  void tell_refusals();
  void tick();
  void warn_of_lost_lines(base::Instant now);
  void warn_of_pause(base::Instant now);
  std::uint64_t lines_lost() const;
  std::uint64_t connections_ended() const;
  DrainEnd drain_end() const;

  Parts parts_;
  RecordPump pump_;
  ControlWatch own_watch_;
  NumaWatch numa_watch_;
  RingWatch ring_watch_;
  const bool has_cpu_quota_ = os::cpu_quota().has_value();
  upstream::Alarm stage_timer_;
  upstream::Alarm tick_timer_;
  Stage stage_ = Stage::starting;
  std::string drain_asked_by_;            // while it was starting; empty = nobody did
  std::uint64_t ended_before_drain_ = 0;  // connections
  std::vector<std::function<void(const DrainEnd&)>> at_end_;
  bool queues_empty_ = false;   // the acceptors have taken in whoever was let in
  bool unlocked_told_ = false;  // of threads that could not lock themselves
  std::uint64_t lines_lost_told_ = 0;
  base::Instant next_lost_warning_{};
  base::Instant next_pause_warning_{};
};

}  // namespace penstock::control

#pragma once
// Once a second: asks every forwarder to answer and notes how busy it was.
//
// Owner    run(). Thread: control.

#include <vector>

#include "runtime/server.hpp"

namespace penstock::control {

class ForwarderWatch {
 public:
  ForwarderWatch(runtime::Server& server, base::Instant now);

  void tick(base::Instant now);

  // By forwarder, between the last two ticks: from 0 to 1.
  const std::vector<double>& busy_ratios() const noexcept { return busy_ratios_; }

  // False where a question has been open for longer than base::forwarder_silent_max. The time of
  // the question counts, not that of the last answer: after the whole process stood still for a
  // minute, nobody has been silent.
  bool answers(const runtime::ForwarderView& forwarder, base::Instant now) const noexcept;

 private:
  runtime::Server& server_;
  base::Instant last_tick_;
  std::vector<base::Instant> asked_;  // the oldest open question, else the last one
  std::vector<std::uint64_t> busy_nanoseconds_;
  std::vector<double> busy_ratios_;
};

}  // namespace penstock::control

#pragma once
// Once a second: asks every forwarder to answer and to look for stalled connections, notes how busy
// it was, and says where one was blocked or a connection had stalled.
//
// Owner    run(). Thread: control.

#include <optional>
#include <string>
#include <vector>

#include "base/rate_limited.hpp"
#include "base/time.hpp"
#include "runtime/views.hpp"

namespace penstock::runtime {
class RoundTimes;
class Server;
}  // namespace penstock::runtime

namespace penstock::control {

// What there is to say about the rounds of one forwarder: each blocked one is spoken of once, also
// while it still lasts, and at most one sentence comes in ten seconds.
class BlockedRounds {
 public:
  std::optional<std::string> look(std::size_t forwarder, const runtime::RoundTimes& rounds,
                                  base::Instant now);

 private:
  std::uint64_t told_ = 0;  // of RoundTimes::blocked()
  base::RateLimited limit_;
};

class ForwarderWatch {
 public:
  ForwarderWatch(runtime::Server& server, base::Instant now);

  // The warnings for the log.
  std::vector<std::string> tick(base::Instant now);

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
  std::vector<base::Duration> busy_;
  std::vector<BlockedRounds> blocked_;
  std::vector<double> busy_ratios_;
};

}  // namespace penstock::control

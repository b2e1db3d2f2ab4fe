#pragma once
// When the timers of a forwarder may fire though events keep coming.
//
// Events come before timers: after a pause of the whole process both are due, and a byte that came
// in time must not be too late. But a forwarder that is always busy must not keep its timers
// waiting. So they wait while events_left(), and then fire as of heard_until(): every event from
// before that moment has been told.
//
// Proof    The kernel has its ready sockets in a queue, each once. A wait takes up to a batch from
//          the front, and an edge-triggered poller puts none of them back; who becomes ready stands
//          at the end. A batch that is not full has emptied the queue. Of a series of full ones,
//          let n be the sessions when its first wait began: 2n sockets at most stood in the queue
//          then. k batches later k * base::poll_batch_max have been taken from the front; where
//          that is more than 2n, all of those were told. How many sessions there are meanwhile says
//          nothing: who comes stands behind, and who ends leaves it. So the wait of timers is
//          bounded, too.
//          On a ring (os/ring.hpp) a socket may stand there more than once: there it is a measure.
// Owner    the forwarder. Thread: its own.

#include <cstddef>

#include "base/limits.hpp"
#include "base/time.hpp"

namespace penstock::runtime {

class PollFairness {
 public:
  // `sessions` are there now.
  void begin_wait(base::Instant now, std::size_t sessions) noexcept;
  void end_wait(std::size_t events) noexcept;

  bool events_left() const noexcept;
  base::Instant heard_until() const noexcept { return heard_until_; }

 private:
  std::size_t full_batches_ = 0;      // in a row
  std::size_t full_batches_max_ = 0;  // that can leave any of those who stood there at the first
  base::Instant heard_until_{};
};

}  // namespace penstock::runtime

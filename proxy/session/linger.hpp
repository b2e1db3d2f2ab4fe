#pragma once
// An abort gives what was taken until nobody is owed a byte, or abort_linger has passed.
//
// Owner    a session. Thread: the forwarder's own.

#include "base/moment.hpp"
#include "base/time.hpp"
#include "base/timer_wheel.hpp"

namespace penstock::session {

struct Context;

class Linger {
 public:
  void begin(base::Instant end, base::Instant now) noexcept { end_ = {end, now}; }
  // False: it is over. Else `session` is armed, to look again.
  bool goes_on(bool owes_bytes, base::Timer& session, Context& context) const noexcept;

 private:
  base::Moment end_;
};

}  // namespace penstock::session

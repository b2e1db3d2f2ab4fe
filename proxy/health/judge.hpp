#pragma once
// From the results of single checks to a state that does not flap.
//
// The first result decides at once: a fresh endpoint must not wait for `rise` intervals, and a dead
// one must not get traffic for `fall` of them. After that only a row of equal results turns it. One
// that discovery brought may be named a moment before its port answers: the judge of such a one is
// patient. Until then it is unknown, and is tried after those that are up.
//
//   state    result | next
//   -------- -------+------------------------------------
//   unknown  passed | up
//   unknown  failed | down; for who is patient with the `fall`th in a row
//   up       passed | up, the row of failures is forgotten
//   up       failed | down with the `fall`th in a row
//   down     failed | down, the row of passes is forgotten
//   down     passed | up with the `rise`th in a row
//
// Pure. Thread: its owner's.

#include "upstream/endpoint_state.hpp"
#include "upstream/health_spec.hpp"

namespace penstock::health {

class HealthJudge {
 public:
  HealthJudge(int rise, int fall, bool is_patient = false) noexcept;

  // True where the state has changed.
  bool take(bool passed) noexcept;

  // Of a configuration that has changed; what was seen so far stays.
  void set_rows(int rise, int fall) noexcept;

  upstream::Health state() const noexcept { return state_; }

 private:
  bool turn_to(upstream::Health state) noexcept;

  int rise_;
  int fall_;
  bool is_patient_;
  int row_ = 0;  // results in a row that speak against the state
  upstream::Health state_ = upstream::Health::unknown;
};

}  // namespace penstock::health

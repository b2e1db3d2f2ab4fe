#include "health/judge.hpp"

#include "base/assert.hpp"

namespace penstock::health {

HealthJudge::HealthJudge(int rise, int fall, bool is_patient) noexcept
    : rise_{rise}, fall_{fall}, is_patient_{is_patient} {
  PENSTOCK_ASSERT(rise >= 1 && fall >= 1);
}

void HealthJudge::set_rows(int rise, int fall) noexcept {
  PENSTOCK_ASSERT(rise >= 1 && fall >= 1);
  rise_ = rise;
  fall_ = fall;
}

bool HealthJudge::take(bool passed) noexcept {
  const upstream::Health said = passed ? upstream::Health::up : upstream::Health::down;
  if (state_ == upstream::Health::unknown && (passed || !is_patient_)) return turn_to(said);
  if (state_ == said) {
    row_ = 0;
    return false;
  }
  return ++row_ >= (passed ? rise_ : fall_) && turn_to(said);
}

bool HealthJudge::turn_to(upstream::Health state) noexcept {
  state_ = state;
  row_ = 0;
  return true;
}

}  // namespace penstock::health

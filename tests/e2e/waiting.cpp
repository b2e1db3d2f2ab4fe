#include "e2e/waiting.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace penstock::e2e {

namespace {
// The kernel offers no event for "some fact holds": between two looks the thread rests.
void rest() {
  ::poll(nullptr, 0, 3);
}
}  // namespace

void fail_with_errno(const std::string& what) {
  throw Failure{what + ": " + std::strerror(errno)};
}

void wait_until(const std::string& what, const std::function<bool()>& fact, Milliseconds deadline) {
  const auto end = Clock::now() + deadline;
  while (!fact()) {
    if (Clock::now() >= end)
      throw Failure{"waited " + std::to_string(deadline.count()) + " ms for: " + what};
    rest();
  }
}

void holds_for(Milliseconds duration, const std::string& what, const std::function<bool()>& fact) {
  const auto end = Clock::now() + duration;
  do {
    if (!fact()) throw Failure{"did not hold: " + what};
    rest();
  } while (Clock::now() < end);
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<Milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::max<decltype(left)>(left, 0));
}

}  // namespace penstock::e2e

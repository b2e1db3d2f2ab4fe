#include "runtime/poll_fairness.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include "catch.hpp"

namespace penstock::runtime {

namespace {

constexpr base::Instant start{std::chrono::hours{1}};
constexpr base::Duration tick{1};

// The kernel's queue of ready sockets, two for each session: each once, told from the front.
class ReadySockets {
 public:
  explicit ReadySockets(std::size_t sessions) : since_(2 * sessions) {}

  void arrive(std::size_t socket, base::Instant now) {
    if (since_[socket] != base::Instant{}) return;
    since_[socket] = now;
    queue_.push_back(socket);
  }
  std::size_t tell() {
    const std::size_t batch = std::min(queue_.size(), base::poll_batch_max);
    for (std::size_t i = 0; i < batch; ++i) {
      since_[queue_.front()] = {};
      queue_.pop_front();
    }
    return batch;
  }
  std::size_t size() const { return since_.size(); }
  // Of what was not told yet; base::never where all was.
  base::Instant oldest() const { return queue_.empty() ? base::never : since_[queue_.front()]; }

 private:
  std::vector<base::Instant> since_;  // by socket; zero: nothing to tell
  std::deque<std::size_t> queue_;
};

}  // namespace

TEST_CASE("a batch that is not full leaves nothing behind", "[runtime]") {
  PollFairness fairness;
  fairness.begin_wait(start, 10'000);
  fairness.end_wait(base::poll_batch_max - 1);
  CHECK_FALSE(fairness.events_left(10'000));
  CHECK(fairness.heard_until() == start);
}

TEST_CASE("timers wait for full batches until every socket had its turn, and no longer",
          "[runtime]") {
  const std::size_t sessions = 4 * base::poll_batch_max;
  PollFairness fairness;
  for (int batch = 0; batch < 8; ++batch) {
    fairness.begin_wait(start + batch * tick, sessions);
    fairness.end_wait(base::poll_batch_max);
    CHECK(fairness.events_left(sessions));
  }
  fairness.begin_wait(start + 8 * tick, sessions);
  fairness.end_wait(base::poll_batch_max);
  CHECK_FALSE(fairness.events_left(sessions));
  CHECK(fairness.heard_until() == start);
  fairness.begin_wait(start + 9 * tick, sessions);
  CHECK(fairness.heard_until() == start + 9 * tick);
}

TEST_CASE("when timers fire, all that had come before has been told", "[runtime]") {
  const auto seed = GENERATE(range(1u, 21u));
  CAPTURE(seed);
  std::mt19937 random{seed};
  const std::size_t sessions = 1 + random() % 2000;
  const std::size_t arrivals_max = 1 + random() % (2 * base::poll_batch_max);
  CAPTURE(sessions, arrivals_max);
  ReadySockets sockets{sessions};
  PollFairness fairness;
  base::Instant now = start;
  int fired = 0;
  for (int wait = 0; wait < 500; ++wait, now += tick) {
    for (std::size_t left = random() % (arrivals_max + 1); left > 0; --left)
      sockets.arrive(random() % sockets.size(), now);
    now += tick;
    fairness.begin_wait(now, sessions);
    fairness.end_wait(sockets.tell());
    if (fairness.events_left(sessions)) continue;
    ++fired;
    REQUIRE(sockets.oldest() >= fairness.heard_until());
  }
  CHECK(fired > 500 / static_cast<int>(2 * sessions / base::poll_batch_max + 2));
}

}  // namespace penstock::runtime

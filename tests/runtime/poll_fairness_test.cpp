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
  explicit ReadySockets(std::size_t sessions) : since_(2 * sessions), sessions_{sessions} {}

  void arrive(std::size_t socket, base::Instant now) {
    if (since_[socket] != nothing) return;
    since_[socket] = now;
    queue_.push_back(socket);
  }
  // Those who are told end with it, `ends`: their other socket leaves the queue.
  std::size_t tell(bool ends) {
    std::size_t told = 0;
    while (told < base::poll_batch_max && !queue_.empty()) {
      const std::size_t socket = queue_.front();
      queue_.pop_front();
      if (since_[socket] == base::never) continue;
      since_[socket] = nothing;
      ++told;
      if (!ends) continue;
      since_[socket] = since_[socket ^ 1] = base::never;
      --sessions_;
    }
    return told;
  }
  std::size_t sockets() const { return since_.size(); }
  std::size_t sessions() const { return sessions_; }
  // Of what was not told yet; base::never where all was.
  base::Instant oldest() const {
    base::Instant oldest = base::never;
    for (const std::size_t socket : queue_) oldest = std::min(oldest, since_[socket]);
    return oldest;
  }

 private:
  static constexpr base::Instant nothing{};
  std::vector<base::Instant> since_;  // by socket; base::never: it was closed
  std::deque<std::size_t> queue_;
  std::size_t sessions_;
};

}  // namespace

TEST_CASE("a batch that is not full leaves nothing behind", "[runtime]") {
  PollFairness fairness;
  fairness.begin_wait(start, 10'000);
  fairness.end_wait(base::poll_batch_max - 1);
  CHECK_FALSE(fairness.events_left());
  CHECK(fairness.heard_until() == start);
}

TEST_CASE("timers wait for full batches until every socket had its turn, and no longer",
          "[runtime]") {
  const std::size_t sessions = 4 * base::poll_batch_max;
  PollFairness fairness;
  for (int batch = 0; batch < 8; ++batch) {
    fairness.begin_wait(start + batch * tick, sessions);
    fairness.end_wait(base::poll_batch_max);
    CHECK(fairness.events_left());
  }
  fairness.begin_wait(start + 8 * tick, sessions);
  fairness.end_wait(base::poll_batch_max);
  CHECK_FALSE(fairness.events_left());
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
      sockets.arrive(random() % sockets.sockets(), now);
    now += tick;
    fairness.begin_wait(now, sessions);
    fairness.end_wait(sockets.tell(false));
    if (fairness.events_left()) continue;
    ++fired;
    REQUIRE(sockets.oldest() >= fairness.heard_until());
  }
  CHECK(fired > 500 / static_cast<int>(2 * sessions / base::poll_batch_max + 2));
}

TEST_CASE("also when those who are told end, timers wait for the others", "[runtime]") {
  const std::size_t sessions = 10 * base::poll_batch_max;
  ReadySockets sockets{sessions};
  // Both sockets of a session are apart in the queue: half of them end before any second is told.
  for (std::size_t side : {0u, 1u})
    for (std::size_t session = 0; session < sessions; ++session)
      sockets.arrive(2 * session + side, start);
  PollFairness fairness;
  base::Instant now = start + tick;
  do {
    fairness.begin_wait(now, sockets.sessions());
    fairness.end_wait(sockets.tell(now < start + 6 * tick));
    now += tick;
  } while (fairness.events_left());
  CHECK(sockets.oldest() >= fairness.heard_until());
}

}  // namespace penstock::runtime

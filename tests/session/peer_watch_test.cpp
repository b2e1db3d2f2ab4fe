#include "session/peer_watch.hpp"

#include "catch.hpp"

using namespace penstock;
using session::PeerWatch;
using Verdict = PeerWatch::Verdict;
using std::chrono::seconds;

namespace {

constexpr base::Duration timeout = seconds{30};

// Looks every quarter of the timeout, with what `say` gives for the seconds since the first look;
// returns when the peer was called dead, or -1 after ten minutes.
template <class Say>
int seconds_until_dead(Say&& say) {
  PeerWatch watch;
  const base::Instant start{seconds{1000}};
  for (int second = 0; second < 600; second += 7) {
    const os::TcpInfo info = say(second);
    if (watch.look(1000, info, start + seconds{second}, timeout) == Verdict::dead) return second;
  }
  return -1;
}

}  // namespace

TEST_CASE("a peer that owes nothing is not watched", "[session]") {
  PeerWatch watch;
  const base::Instant now{seconds{1000}};
  REQUIRE(watch.look(0, std::nullopt, now, timeout) == Verdict::nothing_owed);
  REQUIRE(watch.look(10, std::nullopt, now, timeout) == Verdict::nothing_owed);
}

TEST_CASE("a peer that never acknowledges is dead after the timeout", "[session]") {
  const int dead = seconds_until_dead(
      [](int second) { return os::TcpInfo{.last_heard = seconds{second}, .unacknowledged = 3}; });
  REQUIRE(dead >= 30);
  REQUIRE(dead <= 45);
}

TEST_CASE("a long rest before the data was sent does not count as silence", "[session]") {
  const int dead = seconds_until_dead([](int second) {
    return os::TcpInfo{.last_heard = seconds{3600 + second}, .unacknowledged = 3};
  });
  REQUIRE(dead >= 30);
}

TEST_CASE("a peer that answers every probe with a closed window is alive", "[session]") {
  REQUIRE(seconds_until_dead([](int second) {
            return os::TcpInfo{.last_heard = seconds{second % 20}, .unanswered_probes = 1};
          }) == -1);
}

TEST_CASE("a closed window whose probes are rare and answered is alive", "[session]") {
  // Two minutes between probes: silence for much longer than the timeout, but no probe unanswered.
  REQUIRE(seconds_until_dead([](int second) {
            return os::TcpInfo{.last_heard = seconds{second % 120}, .unanswered_probes = 0};
          }) == -1);
}

TEST_CASE("a closed window whose probes stay without an answer is dead", "[session]") {
  const int dead = seconds_until_dead([](int second) {
    return os::TcpInfo{.last_heard = seconds{second},
                       .unanswered_probes = static_cast<std::uint32_t>(second / 10)};
  });
  REQUIRE(dead >= 30);
  REQUIRE(dead <= 45);
}

TEST_CASE("one sign of life starts the time anew", "[session]") {
  const int dead = seconds_until_dead([](int second) {
    const int heard = second < 28 ? 0 : 28;
    return os::TcpInfo{.last_heard = seconds{second - heard}, .unacknowledged = 1};
  });
  REQUIRE(dead >= 58);
}

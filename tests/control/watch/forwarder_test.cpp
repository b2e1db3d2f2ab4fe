#include "control/watch/forwarder.hpp"
#include "catch.hpp"
#include "runtime/round_times.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using control::BlockedRounds;
using runtime::RoundTimes;

namespace {
constexpr base::Instant start{std::chrono::hours{1}};
}

TEST_CASE("short rounds and waiting are nothing to speak of", "[control]") {
  RoundTimes rounds;
  BlockedRounds watch;
  rounds.begin(start);
  CHECK_FALSE(watch.look(0, rounds, start + 90ms));
  rounds.end(start + 100ms);
  CHECK_FALSE(watch.look(0, rounds, start + 10h));
  CHECK(rounds.blocked() == 0);
  CHECK(rounds.busy() == 100ms);
}

TEST_CASE("a long round is spoken of once, with its length", "[control]") {
  RoundTimes rounds;
  BlockedRounds watch;
  rounds.begin(start);
  rounds.end(start + 250ms);
  CHECK(rounds.blocked() == 1);
  const auto sentence = watch.look(3, rounds, start + 1s);
  REQUIRE(sentence);
  CHECK(sentence->starts_with("forwarder 3 needed 250 ms for one round of its loop"));
  CHECK_FALSE(watch.look(3, rounds, start + 1h));
}

TEST_CASE("a round that lasts is spoken of before it ends, and not again after", "[control]") {
  RoundTimes rounds;
  BlockedRounds watch;
  rounds.begin(start);
  const auto sentence = watch.look(0, rounds, start + 900ms);
  REQUIRE(sentence);
  CHECK(sentence->starts_with("forwarder 0 has needed 900 ms"));
  rounds.end(start + 2s);
  CHECK_FALSE(watch.look(0, rounds, start + 1h));
}

TEST_CASE("at most one sentence about a forwarder comes in ten seconds", "[control]") {
  RoundTimes rounds;
  BlockedRounds watch;
  base::Instant now = start;
  int sentences = 0;
  for (int round = 0; round < 30; ++round) {
    rounds.begin(now);
    now += 1s;
    rounds.end(now);
    if (watch.look(0, rounds, now)) ++sentences;
  }
  CHECK(sentences == 3);
}

#include "upstream/latency.hpp"

#include <cmath>
#include <thread>
#include <vector>

#include "catch.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using upstream::Latency;

namespace {

constexpr base::Instant start{1h};

double milliseconds(const Latency& latency, base::Instant now) {
  return latency.at(now).value() / 1e6;
}

// The word keeps a float.
Approx about(double value) {
  return Approx{value}.epsilon(1e-5);
}

}  // namespace

TEST_CASE("without a sample there is no latency", "[upstream]") {
  const Latency latency;
  REQUIRE_FALSE(latency.at(start));
  REQUIRE_FALSE(latency.at(start + 24h));
}

TEST_CASE("the first sample is the latency, were it 0", "[upstream]") {
  Latency latency;
  latency.sample(5ms, start);
  REQUIRE(milliseconds(latency, start) == about(5));
  Latency instant;
  instant.sample(0ms, start);
  REQUIRE(instant.at(start) == 1.0);
}

TEST_CASE("a slower sample is believed at once", "[upstream]") {
  Latency latency;
  latency.sample(5ms, start);
  latency.sample(80ms, start + 1s);
  REQUIRE(milliseconds(latency, start + 1s) == about(80));
}

TEST_CASE("a quicker sample pulls the average down by the time that has passed", "[upstream]") {
  Latency latency;
  latency.sample(100ms, start);
  latency.sample(10ms, start);
  REQUIRE(milliseconds(latency, start) == about(100));
  latency.sample(10ms, start + Latency::decay);
  REQUIRE(milliseconds(latency, start + Latency::decay) ==
          about(100 * std::exp(-1) + 10 * (1 - std::exp(-1))));
}

TEST_CASE("steady samples of one length end at that length", "[upstream]") {
  Latency latency;
  latency.sample(1s, start);
  base::Instant now = start;
  for (int i = 0; i < 10'000; ++i) latency.sample(20ms, now += 20ms);
  REQUIRE(milliseconds(latency, now) == Approx{20}.epsilon(0.01));
}

TEST_CASE("silence lets a latency fade", "[upstream]") {
  Latency latency;
  latency.sample(100ms, start);
  REQUIRE(milliseconds(latency, start + 1s) == about(100 * std::exp(-0.1)));
  REQUIRE(milliseconds(latency, start + 10s) == about(100 * std::exp(-1)));
  REQUIRE(milliseconds(latency, start + 100s) == about(100 * std::exp(-10)));
}

TEST_CASE("a latency that faded stays so for years", "[upstream]") {
  Latency latency;
  latency.sample(100ms, start);
  const int days = GENERATE(1, 24, 25, 40, 49, 365);
  CAPTURE(days);
  REQUIRE(milliseconds(latency, start + days * 24h) < 1e-3);
}

TEST_CASE("who looks with a clock a little behind sees the latency whole", "[upstream]") {
  Latency latency;
  latency.sample(100ms, start);
  REQUIRE(milliseconds(latency, start - 50ms) == about(100));
}

TEST_CASE("of samples of many threads at once the slowest is kept", "[upstream]") {
  Latency latency;
  std::vector<std::thread> threads;
  for (int thread = 1; thread <= 4; ++thread)
    threads.emplace_back([&latency, thread] {
      for (int i = 1; i <= 10'000; ++i)
        latency.sample(std::chrono::microseconds{thread * i}, start);
    });
  for (auto& thread : threads) thread.join();
  REQUIRE(milliseconds(latency, start) == about(40));
}

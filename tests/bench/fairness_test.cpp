#include "fairness.hpp"

#include "catch.hpp"

using namespace penstock::bench;
using namespace std::chrono_literals;

namespace {

constexpr Clock::time_point begin{100s};
constexpr Clock::time_point end = begin + 1s;

Service service_with(const std::vector<Clock::duration>& answers) {
  Service service{begin};
  for (const Clock::duration after : answers) service.answered(begin + after);
  service.close(end);
  return service;
}

}  // namespace

TEST_CASE("A connection's longest gap lies between two of its answers") {
  REQUIRE(service_with({200ms, 500ms, 900ms}).longest_gap() == 400ms);
}

TEST_CASE("A connection waits from the window's beginning on, and to its end") {
  REQUIRE(service_with({600ms, 800ms}).longest_gap() == 600ms);
  REQUIRE(service_with({100ms, 300ms}).longest_gap() == 700ms);
}

TEST_CASE("A connection without an answer has waited for the whole window") {
  const Service starved = service_with({});
  REQUIRE(starved.exchanges() == 0);
  REQUIRE(starved.longest_gap() == 1s);
}

TEST_CASE("An answer behind the window's end leaves no gap behind it") {
  REQUIRE(service_with({500ms, 1001ms}).longest_gap() == 501ms);
}

TEST_CASE("Fairness counts connections, not requests") {
  const Fairness fairness = fairness_of(
      {service_with({500ms}), service_with({}), service_with({200ms, 400ms, 600ms, 800ms})});
  REQUIRE(fairness.fewest == 0);
  REQUIRE(fairness.median == 1);
  REQUIRE(fairness.most == 4);
  REQUIRE(fairness.longest_gap == 1s);
}

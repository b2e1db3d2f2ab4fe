#include "base/histogram.hpp"

#include <thread>

#include "catch.hpp"

namespace penstock::base {

using namespace std::chrono_literals;

TEST_CASE("a duration falls into the first bucket whose bound it does not exceed", "[base]") {
  const auto& bounds = Histogram::bounds_seconds;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    CAPTURE(bounds[i]);
    const Duration bound{static_cast<std::int64_t>(bounds[i] * 1e9 + 0.5)};
    Histogram histogram;
    histogram.record(bound);
    histogram.record(bound + 1ns);
    Histogram::Totals totals;
    histogram.add_to(totals);
    CHECK(totals.buckets[i] == 1);
    CHECK(totals.buckets[i + 1] == 1);
  }
}

TEST_CASE("totals add up over histograms, with their sum in seconds", "[base]") {
  Histogram one;
  Histogram two;
  one.record(0ns);
  one.record(2s);
  two.record(500ms);
  two.record(48h);
  Histogram::Totals totals;
  one.add_to(totals);
  two.add_to(totals);
  CHECK(totals.buckets.front() == 1);
  CHECK(totals.buckets.back() == 1);
  std::uint64_t count = 0;
  for (const auto bucket : totals.buckets) count += bucket;
  CHECK(count == 4);
  CHECK(totals.sum_seconds == Approx(2.5 + 48 * 3600));
}

TEST_CASE("the bounds of a histogram ascend", "[base]") {
  const auto& bounds = Histogram::bounds_seconds;
  for (std::size_t i = 1; i < bounds.size(); ++i) CHECK(bounds[i - 1] < bounds[i]);
}

TEST_CASE("a counter adds, subtracts and is set", "[base]") {
  Counter counter;
  CHECK(counter.value() == 0);
  counter.add();
  counter.add(41);
  CHECK(counter.value() == 42);
  counter.subtract(2);
  CHECK(counter.value() == 40);
  counter.set(7);
  CHECK(counter.value() == 7);
}

TEST_CASE("a reader of a counter never sees it go back, and its end loses nothing", "[base]") {
  Counter counter;
  constexpr std::uint64_t count = 1'000'000;
  std::thread writer{[&] {
    for (std::uint64_t i = 0; i < count; ++i) counter.add();
  }};
  std::uint64_t last = 0;
  bool went_back = false;
  while (last < count) {
    const std::uint64_t value = counter.value();
    went_back = went_back || value < last;
    last = value;
  }
  writer.join();
  CHECK_FALSE(went_back);
  CHECK(counter.value() == count);
}

}  // namespace penstock::base

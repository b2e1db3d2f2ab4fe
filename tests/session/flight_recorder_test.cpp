#include "session/flight_recorder.hpp"

#include "catch.hpp"

using namespace penstock;
using session::FlightEvent;
using session::FlightRecorder;
using session::FlightRecorders;

TEST_CASE("a recorder keeps the last 16 events, oldest first", "[session]") {
  FlightRecorder recorder;
  FlightRecorder::Events events;
  CHECK(recorder.copy_to(events) == 0);
  for (std::uint32_t i = 0; i < 20; ++i) recorder.add(FlightEvent{.bytes = i});
  REQUIRE(recorder.copy_to(events) == 16);
  CHECK(events.front().bytes == 4);
  CHECK(events.back().bytes == 19);
}

TEST_CASE("a leased recorder is empty, whoever had it before", "[session]") {
  FlightRecorders recorders{*std::pmr::new_delete_resource()};
  const auto first = recorders.lease();
  recorders.at(first).add(FlightEvent{.bytes = 7});
  recorders.give_back(first);
  const auto again = recorders.lease();
  CHECK(again == first);
  FlightRecorder::Events events;
  CHECK(recorders.at(again).copy_to(events) == 0);
  CHECK(recorders.leased() == 1);
  recorders.give_back(again);
}

TEST_CASE("where all recorders are leased there is none, until one comes back", "[session]") {
  FlightRecorders recorders{*std::pmr::new_delete_resource()};
  for (std::size_t i = 0; i < base::flight_recorders_max; ++i)
    REQUIRE(recorders.lease() != FlightRecorders::none);
  CHECK(recorders.lease() == FlightRecorders::none);
  recorders.give_back(5);
  CHECK(recorders.lease() == 5);
  for (std::size_t i = 0; i < base::flight_recorders_max; ++i)
    recorders.give_back(static_cast<std::uint16_t>(i));
}

#include "session/endpoint_removals.hpp"

#include <array>

#include "catch.hpp"
#include "upstream/live_record.hpp"

using namespace penstock;
using session::CloseReason;
using session::EndpointRemovals;
using upstream::LiveRecord;

TEST_CASE("of endpoints that leave together each is found, and no other one", "[session]") {
  std::array<char, 5> places{};  // the list never looks behind an address
  const auto at = [&](std::size_t i) { return reinterpret_cast<LiveRecord*>(&places.at(i)); };
  const EndpointRemovals removals{{{.endpoint = at(3), .at_once = true},
                                   {.endpoint = at(1)},
                                   {.endpoint = at(4), .reason = CloseReason::endpoint_down},
                                   {.endpoint = at(1), .reason = CloseReason::endpoint_down}}};
  REQUIRE(removals.of(at(0)) == nullptr);
  REQUIRE(removals.of(at(2)) == nullptr);
  REQUIRE(removals.of(at(3))->at_once);
  REQUIRE(removals.of(at(4))->reason == CloseReason::endpoint_down);
  REQUIRE(removals.of(at(1))->reason == CloseReason::endpoint_removed);  // the first one
}

// What becomes of the record of an endpoint that was forgotten: forwarders are told of it.

#include "upstream/fixture.hpp"
#include "upstream/registry.hpp"

using namespace penstock;
using namespace penstock::testing;
using namespace std::chrono_literals;
using upstream::Balance;
using upstream::LiveRecord;

TEST_CASE("the record of a forgotten endpoint stays until forwarders have answered a later ping",
          "[upstream]") {
  Fixture fixture{Balance::round_robin, {1, 1}};
  LiveRecord& b = fixture.live(1);
  const auto number = b.number;
  fixture.registry.replace_endpoints(fixture.upstream, {endpoint("a")}, fixture.now,
                                     {{b.address, fixture.now + 10min}});
  fixture.now += 24h;
  fixture.registry.reclaim(7, 7, fixture.now);
  REQUIRE(fixture.registry.refresh(fixture.now).forgotten == std::vector{&b});
  fixture.registry.reclaim(8, 6, fixture.now);
  const auto put_back = [&] {
    fixture.registry.replace_endpoints(fixture.upstream, {endpoint("a"), endpoint("b")},
                                       fixture.now);
    return fixture.live(1).number;
  };
  SECTION("they have not") {
    REQUIRE(put_back() == number);
  }
  SECTION("they have") {
    fixture.registry.reclaim(9, 8, fixture.now);
    REQUIRE(put_back() != number);
  }
}

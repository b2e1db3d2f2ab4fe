#include "report/stall_text.hpp"

#include "catch.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using session::FlightEvent;

namespace {
constexpr base::Instant stall_start{std::chrono::hours{1}};
}

TEST_CASE("a stall is told with its direction, its silence and its last events", "[report]") {
  session::Stall stall;
  stall.id = 42;
  stall.at = stall_start + 6s;
  stall.quiet = 5900ms;
  stall.events[0] = FlightEvent{.microseconds = session::flight_microseconds(stall_start),
                                .kind = FlightEvent::Kind::ready,
                                .which = 0,
                                .ready = {.readable = true,
                                          .writable = false,
                                          .urgent = false,
                                          .peer_finished = true,
                                          .failed = false}};
  stall.events[1] = FlightEvent{.microseconds = session::flight_microseconds(stall_start + 1us),
                                .bytes = 8,
                                .error = 104,
                                .kind = FlightEvent::Kind::ran,
                                .which = 1,
                                .outcome = relay::Outcome::target_full};
  stall.event_count = 2;
  CHECK(report::stall_text(stall, "web") ==
        "connection 42 of listener web stalled: nothing moved to the upstream for 5.9 s, though "
        "bytes wait and there is room; it goes on now. Last events: -6.000000 s client ready (in, "
        "fin); -5.999999 s to_client moved 8 B, target full (errno 104)");
}

TEST_CASE("a stall without a trace says so", "[report]") {
  session::Stall stall;
  stall.direction = 1;
  stall.holds_bytes = true;
  const std::string text = report::stall_text(stall, "web");
  CHECK(text.find("to the client") != text.npos);
  CHECK(text.find("bytes were taken already") != text.npos);
  CHECK(text.ends_with("Its last events were not recorded."));
}

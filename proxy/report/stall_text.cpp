#include "report/stall_text.hpp"

#include <fmt/core.h>

#include "session/counters.hpp"
#include "upstream/live_record.hpp"

namespace penstock::report {

namespace {

using session::FlightEvent;

constexpr std::array<const char*, 2> side_names{"client", "upstream"};
constexpr std::array<const char*, 2> direction_names{"to_upstream", "to_client"};

std::string ready_text(os::Readiness ready) {
  std::string text;
  const auto add = [&](bool flag, const char* name) {
    if (flag) text += (text.empty() ? "" : ", ") + std::string{name};
  };
  add(ready.readable, "in");
  add(ready.writable, "out");
  add(ready.urgent, "urgent");
  add(ready.peer_finished, "fin");
  add(ready.failed, "error");
  return text;
}

std::string event_text(const FlightEvent& event) {
  switch (event.kind) {
    case FlightEvent::Kind::connecting: return "connecting";
    case FlightEvent::Kind::connect_failed: return "connect failed";
    case FlightEvent::Kind::connected: return "connected";
    case FlightEvent::Kind::ready:
      return fmt::format("{} ready ({})", side_names[event.which], ready_text(event.ready));
    case FlightEvent::Kind::ran:
      return fmt::format("{} moved {} B, {}", direction_names[event.which], event.bytes,
                         relay::outcome_names[event.outcome]);
    case FlightEvent::Kind::timer: return "timer";
    case FlightEvent::Kind::aborting: return "aborting";
    case FlightEvent::Kind::resumed: return "taken up after a stall";
  }
  return {};
}

double seconds_in(base::Duration duration) {
  return std::chrono::duration<double>{duration}.count();
}

}  // namespace

std::string stall_text(const session::Stall& stall, const std::string& listener) {
  std::string text = fmt::format(
      "connection {} of listener {} stalled: nothing moved {} for {:.1f} s, though bytes {} and "
      "there is room; it goes on now. ",
      stall.id, listener,
      stall.direction == session::to_upstream ? "to the upstream" : "to the client",
      seconds_in(stall.quiet), stall.holds_bytes ? "were taken already" : "wait");
  if (stall.endpoint != nullptr) text += fmt::format("Endpoint {}. ", stall.endpoint->identity);
  if (stall.event_count == 0) return text + "Its last events were not recorded.";
  text += "Last events: ";
  for (std::size_t i = 0; i < stall.event_count; ++i) {
    const FlightEvent& event = stall.events[i];
    const std::uint32_t before = session::flight_microseconds(stall.at) - event.microseconds;
    text += fmt::format("{}-{:.6f} s {}", i == 0 ? "" : "; ",
                        seconds_in(std::chrono::microseconds{before}), event_text(event));
    if (event.error != 0) text += fmt::format(" (errno {})", event.error);
  }
  return text;
}

}  // namespace penstock::report

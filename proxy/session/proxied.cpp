#include "session/proxied.hpp"

#include <utility>

#include "os/socket.hpp"
#include "relay/zerocopy_paths.hpp"
#include "session/context.hpp"
#include "session/failure_reason.hpp"
#include "upstream/cluster.hpp"
#include "upstream/hash.hpp"
#include "upstream/spec.hpp"

namespace penstock::session {

upstream::Upstream::Taken Proxied::take_place(const upstream::Tried& tried, bool in_line,
                                              base::Instant now) noexcept {
  const std::uint64_t key =
      to().cluster().uses_hash() ? upstream::hash_of(arrival_.peer, to().spec().hash_key) : 0;
  return to().take(key, tried, in_line, now);
}

void Proxied::count_failure(upstream::ConnectFailure failure) noexcept {
  last_failure = failure;
  has_failed = true;
  endpoint().failures[static_cast<std::size_t>(failure)].fetch_add(1, std::memory_order_relaxed);
}

void Proxied::end_delay() noexcept {
  if (!no_delay_is_on && arrival_.listener->options.socket.no_delay &&
      !endpoint().address.is_unix())
    os::send_at_once(sides[upstream].socket);
  no_delay_is_on = true;
}

void Proxied::begin_side(int socket) noexcept {
  const os::SocketAddress& address = endpoint().address;
  relay::Side& side = sides[upstream];
  side = {};
  side.socket = socket;
  side.short_read_is_empty = !address.is_unix();
  if (!address.is_unix()) side.path = relay::path_towards(address.ip());
}

void Proxied::close_side(unsigned side, Ending ending, Context& context) noexcept {
  const int socket = std::exchange(sides[side].socket, -1);
  if (socket < 0) return;
  if (ending == Ending::reset) os::reset_on_close(socket);
  context.poller.close(socket);
}

CloseReason Proxied::failure_reason() const noexcept {
  const unsigned side = sides[client].failed ? client : upstream;
  return reason_of_failure(side, sides[side].error);
}

// nullptr where all recorders are in use.
FlightRecorder* Proxied::recorder(Context& context) noexcept {
  if (recorder_ == FlightRecorders::none) recorder_ = context.recorders.lease();
  return recorder_ == FlightRecorders::none ? nullptr : &context.recorders.at(recorder_);
}

void Proxied::trace(FlightEvent::Kind kind, int error, Context& context) noexcept {
  if (FlightRecorder* into = recorder(context))
    into->add(FlightEvent{.microseconds = flight_microseconds(context.now),
                          .error = static_cast<std::int16_t>(error),
                          .kind = kind});
}

void Proxied::trace_ready(unsigned side, os::Readiness ready, Context& context) noexcept {
  if (FlightRecorder* into = recorder(context))
    into->add(FlightEvent{.microseconds = flight_microseconds(context.now),
                          .error = sides[side].error,
                          .kind = FlightEvent::Kind::ready,
                          .which = static_cast<std::uint8_t>(side & 1U),
                          .ready = ready});
}

void Proxied::trace_run(unsigned direction, const relay::Direction::Run& run,
                        Context& context) noexcept {
  FlightRecorder* into = recorder(context);
  if (into == nullptr) return;
  const bool target_failed = run.outcome == relay::Outcome::target_failed;
  into->add(FlightEvent{
      .microseconds = flight_microseconds(context.now),
      .bytes = static_cast<std::uint32_t>(run.bytes),  // a run's budget is far below 2^32
      .error = sides[target_failed ? 1 - direction : direction].error,
      .kind = FlightEvent::Kind::ran,
      .which = static_cast<std::uint8_t>(direction & 1U),
      .outcome = run.outcome});
}

// How many events there are.
std::size_t Proxied::copy_trace(FlightRecorder::Events& out, Context& context) const noexcept {
  return recorder_ == FlightRecorders::none ? 0 : context.recorders.at(recorder_).copy_to(out);
}

void Proxied::end_trace(Context& context) noexcept {
  if (recorder_ != FlightRecorders::none)
    context.recorders.give_back(std::exchange(recorder_, FlightRecorders::none));
}

}  // namespace penstock::session

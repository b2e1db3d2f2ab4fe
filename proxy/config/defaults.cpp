#include "base/sizes.hpp"
#include "config/parts.hpp"
#include "config/scalars.hpp"

namespace penstock::config {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

// The kernel keeps sizes of socket buffers in an int, and doubles them.
constexpr std::uint64_t socket_buffer_max = base::gibibyte - 1;

// tcp(7): the limits of TCP_KEEPIDLE and TCP_KEEPINTVL, and of TCP_KEEPCNT.
constexpr seconds keepalive_time_max{32'767};
constexpr std::uint64_t keepalive_count_max = 127;

// TCP_USER_TIMEOUT is an int of milliseconds.
constexpr hours tcp_user_timeout_max{596};

void read_keepalive(ConfigReading& reading, const YamlPlace& place,
                    os::SocketOptions::Keepalive& target) {
  MapReader reader{reading, place};
  reader.optional("idle", target.idle, duration_between(seconds{0}, keepalive_time_max));
  reader.optional("interval", target.interval, duration_between(seconds{1}, keepalive_time_max));
  reader.optional("count", target.count, integer_between(1, keepalive_count_max));
  reader.finish();
}

// As the kernel names them: TCP_CA_NAME_MAX is 16, with the final NUL.
std::string parse_congestion(std::string_view text, std::string& target) {
  constexpr std::string_view name_bytes = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  if (text.size() > 15 || text.find_first_not_of(name_bytes) != std::string_view::npos)
    return "expected the name of a congestion control like cubic, not " + base::in_quotes(text);
  target = text;
  return {};
}

void read_timeouts(MapReader& reader, session::Timeouts& timeouts) {
  reader.optional("idle_timeout", timeouts.idle, parse_duration);
  reader.optional("half_close_timeout", timeouts.half_close, parse_duration);
  reader.optional("max_lifetime", timeouts.max_lifetime, parse_duration);
  reader.optional("peer_timeout", timeouts.peer, parse_duration);
  reader.optional("abort_linger", timeouts.abort_linger, parse_duration);
}

void read_socket(MapReader& reader, os::SocketOptions& socket) {
  const auto buffer_size = size_between(0, socket_buffer_max);
  reader.optional("tcp_user_timeout", socket.tcp_user_timeout,
                  duration_between(seconds{0}, tcp_user_timeout_max));
  read_keepalive(reader.reading(), reader.section("keepalive"), socket.keepalive);
  reader.optional("no_delay", socket.no_delay, parse_boolean);
  reader.optional("receive_buffer", socket.receive_buffer, buffer_size);
  reader.optional("send_buffer", socket.send_buffer, buffer_size);
  reader.optional("notsent_lowat", socket.notsent_lowat, buffer_size);
  reader.optional("congestion", socket.congestion, parse_congestion);
  reader.optional("dscp", socket.dscp, integer_between(0, 63));
  reader.optional("mark", socket.mark, integer_between(0, UINT32_MAX));
}

}  // namespace

void read_defaults(MapReader& reader, ConnectionDefaults& target) {
  read_timeouts(reader, target.timeouts);
  read_socket(reader, target.socket);
}

}  // namespace penstock::config

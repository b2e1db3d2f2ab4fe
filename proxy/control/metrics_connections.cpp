#include "control/metrics_parts.hpp"
#include "session/counters.hpp"

namespace penstock::control {

namespace {

using runtime::ForwarderView;
constexpr std::array<std::string_view, 2> directions{"to_upstream", "to_client"};
constexpr std::array<std::string_view, 2> sides{"client", "upstream"};

void add_listener_counts(const MetricsInput& input, Families& families) {
  Family accepted{families, Family::Kind::counter, "penstock_connections_accepted_total",
                  "Connections taken from the kernel, refused ones included."};
  for (std::size_t i = 0; i < input.listeners.size(); ++i)
    accepted.add({{"listener", input.listeners[i].name}},
                 sum_over_forwarders(
                     input, [&](const ForwarderView& view) -> auto& {
                       return view.sessions.listeners[i].accepted;
                     }));
  Family active{families, Family::Kind::gauge, "penstock_connections_active",
                "Connections that are open now."};
  for (const auto& listener : input.listeners)
    active.add({{"listener", listener.name}}, static_cast<double>(listener.active));
}

void add_closed(const MetricsInput& input, Families& families) {
  Family closed{families, Family::Kind::counter, "penstock_connections_closed_total",
                "Connections that ended, by the one reason why."};
  for (std::size_t i = 0; i < input.listeners.size(); ++i)
    for (std::size_t reason = 0; reason < session::close_reason_names.size(); ++reason)
      closed.add({{"listener", input.listeners[i].name},
                  {"reason", std::string{session::close_reason_names.names[reason]}}},
                 sum_over_forwarders(
                     input, [&](const ForwarderView& view) -> auto& {
                       return view.sessions.listeners[i].closed[reason];
                     }));
  Family duration{families, Family::Kind::histogram, "penstock_connection_duration_seconds",
                  "From accept to close, of connections that ended."};
  for (std::size_t i = 0; i < input.listeners.size(); ++i)
    duration.add({{"listener", input.listeners[i].name}},
                 histogram_over_forwarders(
                     input, [&](const ForwarderView& view) -> auto& {
                       return view.sessions.listeners[i].duration;
                     }));
}

void add_bytes(const MetricsInput& input, Families& families) {
  Family bytes{families, Family::Kind::counter, "penstock_bytes_total",
               "Bytes that the destination socket took."};
  for (std::size_t i = 0; i < input.listeners.size(); ++i)
    for (std::size_t direction = 0; direction < directions.size(); ++direction)
      bytes.add({{"listener", input.listeners[i].name},
                 {"direction", std::string{directions[direction]}}},
                sum_over_forwarders(
                    input, [&](const ForwarderView& view) -> auto& {
                      return view.sessions.listeners[i].bytes[direction];
                    }));
  Family truncated{families, Family::Kind::counter, "penstock_truncated_connections_total",
                   "Connections that ended with bytes taken from one side and not delivered."};
  for (std::size_t direction = 0; direction < directions.size(); ++direction) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < input.listeners.size(); ++i)
      sum += sum_over_forwarders(
          input, [&](const ForwarderView& view) -> auto& {
            return view.sessions.listeners[i].truncated[direction];
          });
    truncated.add({{"direction", std::string{directions[direction]}}}, sum);
  }
}

void add_kernel_figures(const MetricsInput& input, Families& families) {
  Family rtt{families, Family::Kind::histogram, "penstock_tcp_rtt_seconds",
             "Smoothed round trip time, sampled when a connection ends."};
  for (std::size_t side = 0; side < sides.size(); ++side)
    rtt.add(
        {{"side", std::string{sides[side]}}},
        histogram_over_forwarders(
            input, [&](const ForwarderView& view) -> auto& { return view.sessions.rtt[side]; }));
  Family retransmits{families, Family::Kind::counter, "penstock_tcp_retransmits_total",
                     "Segments sent again, sampled when a connection ends."};
  for (std::size_t side = 0; side < sides.size(); ++side)
    retransmits.add({{"side", std::string{sides[side]}}},
                    sum_over_forwarders(
                        input, [&](const ForwarderView& view) -> auto& {
                          return view.sessions.retransmits[side];
                        }));
}

}  // namespace

void add_connection_metrics(const MetricsInput& input, Families& families) {
  add_listener_counts(input, families);
  add_closed(input, families);
  add_bytes(input, families);
  add_kernel_figures(input, families);
}

}  // namespace penstock::control

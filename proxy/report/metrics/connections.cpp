#include "report/metrics/parts.hpp"
#include "session/counters.hpp"

namespace penstock::report {

namespace {

using runtime::ForwarderView;
constexpr std::array<std::string_view, 2> directions{"to_upstream", "to_client"};
constexpr std::array<std::string_view, 2> sides{"client", "upstream"};

// One number of a listener, all forwarders together.
template <class Pick>
std::uint64_t sum_of_listener(const MetricsInput& input, std::size_t listener, Pick&& pick) {
  return sum_over_forwarders(
      input, [&](const ForwarderView& view) -> auto& {
        return pick(view.sessions.listeners[listener]);
      });
}

void add_listener_counts(const SharedMetricsInput& input, base::PagePieces& pieces) {
  add_pieces(pieces, {.kind = Family::Kind::counter,
                      .name = "penstock_connections_accepted_total",
                      .help = "Connections taken from the kernel, refused ones included.",
                      .rows = input->listeners.size(),
                      .add = [input](Family& family, std::size_t i) {
                        family.add(
                            {{"listener", input->listeners[i].name}},
                            sum_of_listener(
                                *input, i, [](const auto& of) -> auto& { return of.accepted; }));
                      }});
  add_pieces(pieces, {.kind = Family::Kind::gauge,
                      .name = "penstock_connections_active",
                      .help = "Connections that are open now.",
                      .rows = input->listeners.size(),
                      .add = [input](Family& family, std::size_t i) {
                        family.add({{"listener", input->listeners[i].name}},
                                   static_cast<std::uint64_t>(input->listeners[i].active));
                      }});
}

void add_closed(const SharedMetricsInput& input, base::PagePieces& pieces) {
  const auto add = [input](Family& family, std::size_t i) {
    for (std::size_t reason = 0; reason < session::close_reason_names.size(); ++reason)
      family.add({{"listener", input->listeners[i].name},
                  {"reason", session::close_reason_names.names[reason]}},
                 sum_of_listener(
                     *input, i, [&](const auto& of) -> auto& { return of.closed[reason]; }));
  };
  add_pieces(pieces, {.kind = Family::Kind::counter,
                      .name = "penstock_connections_closed_total",
                      .help = "Connections that ended, by the one reason why.",
                      .rows = input->listeners.size(),
                      .add = add});
  add_pieces(pieces, {.kind = Family::Kind::histogram,
                      .name = "penstock_connection_duration_seconds",
                      .help = "From accept to close, of connections that ended.",
                      .rows = input->listeners.size(),
                      .add = [input](Family& family, std::size_t i) {
                        family.add({{"listener", input->listeners[i].name}},
                                   histogram_over_forwarders(
                                       *input, [&](const ForwarderView& view) -> auto& {
                                         return view.sessions.listeners[i].duration;
                                       }));
                      }});
}

void add_bytes(const SharedMetricsInput& input, base::PagePieces& pieces) {
  const auto add = [input](Family& family, std::size_t i) {
    for (std::size_t direction = 0; direction < directions.size(); ++direction)
      family.add({{"listener", input->listeners[i].name}, {"direction", directions[direction]}},
                 sum_of_listener(
                     *input, i, [&](const auto& of) -> auto& { return of.bytes[direction]; }));
  };
  add_pieces(pieces, {.kind = Family::Kind::counter,
                      .name = "penstock_bytes_total",
                      .help = "Bytes that the destination socket took.",
                      .rows = input->listeners.size(),
                      .add = add});
}

void add_truncated(const MetricsInput& input, std::string& text) {
  Family truncated{text, Family::Kind::counter, "penstock_truncated_connections_total",
                   "Connections that ended with bytes taken from one side and not delivered."};
  for (std::size_t direction = 0; direction < directions.size(); ++direction) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < input.listeners.size(); ++i)
      sum += sum_of_listener(
          input, i, [&](const auto& of) -> auto& { return of.truncated[direction]; });
    truncated.add({{"direction", directions[direction]}}, sum);
  }
}

}  // namespace

void add_connection_metrics(const SharedMetricsInput& input, base::PagePieces& pieces) {
  add_listener_counts(input, pieces);
  add_closed(input, pieces);
  add_bytes(input, pieces);
}

void add_kernel_metrics(const MetricsInput& input, std::string& text) {
  add_truncated(input, text);
  Family rtt{text, Family::Kind::histogram, "penstock_tcp_rtt_seconds",
             "Smoothed round trip time, sampled when a connection ends."};
  for (std::size_t side = 0; side < sides.size(); ++side)
    rtt.add({{"side", sides[side]}}, histogram_over_forwarders(
                                         input, [&](const ForwarderView& view) -> auto& {
                                           return view.sessions.rtt[side];
                                         }));
  Family retransmits{text, Family::Kind::counter, "penstock_tcp_retransmits_total",
                     "Segments sent again, sampled when a connection ends."};
  for (std::size_t side = 0; side < sides.size(); ++side)
    retransmits.add({{"side", sides[side]}}, sum_over_forwarders(
                                                 input, [&](const ForwarderView& view) -> auto& {
                                                   return view.sessions.retransmits[side];
                                                 }));
}

}  // namespace penstock::report

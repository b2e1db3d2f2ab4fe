#include "report/metrics/parts.hpp"
#include "session/counters.hpp"

namespace penstock::report {

namespace {

constexpr std::array<std::string_view, 2> directions{"to_upstream", "to_client"};
constexpr std::array<std::string_view, 2> sides{"client", "upstream"};

void add_listener_counts(const SharedMetricsPage& page, base::PagePieces& pieces) {
  add_pieces(
      pieces,
      {.kind = Family::Kind::counter,
       .name = "penstock_connections_accepted_total",
       .help = "Connections taken from the kernel, refused ones included.",
       .rows = page->input.listeners.size(),
       .add = [page](Family& family, std::size_t i) {
         family.add({{"listener", page->input.listeners[i].name}}, page->rows.listener(i).accepted);
       }});
  add_pieces(pieces, {.kind = Family::Kind::gauge,
                      .name = "penstock_connections_active",
                      .help = "Connections that are open now.",
                      .rows = page->input.listeners.size(),
                      .add = [page](Family& family, std::size_t i) {
                        family.add({{"listener", page->input.listeners[i].name}},
                                   static_cast<std::uint64_t>(page->input.listeners[i].active));
                      }});
}

void add_closed(const SharedMetricsPage& page, base::PagePieces& pieces) {
  const auto add = [page](Family& family, std::size_t i) {
    for (std::size_t reason = 0; reason < session::close_reason_names.size(); ++reason)
      family.add({{"listener", page->input.listeners[i].name},
                  {"reason", session::close_reason_names.names[reason]}},
                 page->rows.listener(i).closed[reason]);
  };
  add_pieces(pieces, {.kind = Family::Kind::counter,
                      .name = "penstock_connections_closed_total",
                      .help = "Connections that ended, by the one reason why.",
                      .rows = page->input.listeners.size(),
                      .add = add});
  add_pieces(
      pieces,
      {.kind = Family::Kind::histogram,
       .name = "penstock_connection_duration_seconds",
       .help = "From accept to close, of connections that ended.",
       .rows = page->input.listeners.size(),
       .add = [page](Family& family, std::size_t i) {
         family.add({{"listener", page->input.listeners[i].name}}, page->rows.listener(i).duration);
       }});
}

void add_bytes(const SharedMetricsPage& page, base::PagePieces& pieces) {
  const auto add = [page](Family& family, std::size_t i) {
    for (std::size_t direction = 0; direction < directions.size(); ++direction)
      family.add(
          {{"listener", page->input.listeners[i].name}, {"direction", directions[direction]}},
          page->rows.listener(i).bytes[direction]);
  };
  add_pieces(pieces, {.kind = Family::Kind::counter,
                      .name = "penstock_bytes_total",
                      .help = "Bytes that the destination socket took.",
                      .rows = page->input.listeners.size(),
                      .add = add});
}

void add_truncated(const MetricsInput& input, std::string& text) {
  Family truncated{text, Family::Kind::counter, "penstock_truncated_connections_total",
                   "Connections that ended with bytes taken from one side and not delivered."};
  const ListenerTotals all = all_listeners(input.forwarders);
  for (std::size_t direction = 0; direction < directions.size(); ++direction)
    truncated.add({{"direction", directions[direction]}}, all.truncated[direction]);
}

}  // namespace

void add_connection_metrics(const SharedMetricsPage& page, base::PagePieces& pieces) {
  add_listener_counts(page, pieces);
  add_closed(page, pieces);
  add_bytes(page, pieces);
}

void add_kernel_metrics(const MetricsInput& input, const SessionTotals& sessions,
                        std::string& text) {
  add_truncated(input, text);
  Family rtt{text, Family::Kind::histogram, "penstock_tcp_rtt_seconds",
             "Smoothed round trip time, sampled when a connection ends."};
  for (std::size_t side = 0; side < sides.size(); ++side)
    rtt.add({{"side", sides[side]}}, sessions.rtt[side]);
  Family retransmits{text, Family::Kind::counter, "penstock_tcp_retransmits_total",
                     "Segments sent again, sampled when a connection ends."};
  for (std::size_t side = 0; side < sides.size(); ++side)
    retransmits.add({{"side", sides[side]}}, sessions.retransmits[side]);
}

}  // namespace penstock::report

#include <algorithm>
#include <span>

#include "report/metrics/parts.hpp"
#include "session/counters.hpp"
#include "upstream/live_record.hpp"

namespace penstock::report {

namespace {

// The endpoints of all upstreams, one behind the other; behind the last one of an upstream that has
// a series of its own the sum of the rest.
struct EndpointRow {
  const MetricsInput::Upstream* upstream;
  std::string_view name;
  std::span<const MetricsInput::Endpoint> endpoints;

  template <class Value>
  std::uint64_t sum(Value&& value) const {
    std::uint64_t total = 0;
    for (const MetricsInput::Endpoint& endpoint : endpoints) total += value(endpoint);
    return total;
  }
};
using EndpointRows = std::shared_ptr<const std::vector<EndpointRow>>;

EndpointRows rows_of(const MetricsInput& input) {
  std::vector<EndpointRow> rows;
  for (const auto& upstream : input.upstreams) {
    const std::span all{upstream.endpoints};
    const std::size_t own = std::min(all.size(), MetricsInput::endpoint_series_max);
    for (const auto& endpoint : all.first(own))
      rows.push_back({&upstream, endpoint.live->identity, {&endpoint, 1}});
    if (own < all.size())
      rows.push_back({&upstream, MetricsInput::other_endpoints, all.subspan(own)});
  }
  return std::make_shared<const std::vector<EndpointRow>>(std::move(rows));
}

// `page` keeps alive what the rows point at. `add` gets the family, the row and its two labels.
template <class Add>
void add_for_endpoints(const SharedMetricsPage& page, const EndpointRows& rows,
                       base::PagePieces& pieces, FamilyOfRows family, Add add) {
  family.rows = rows->size();
  family.add = [page, rows, add](Family& of, std::size_t i) {
    const EndpointRow& row = (*rows)[i];
    add(of, row, Label{"upstream", row.upstream->name}, Label{"endpoint", row.name});
  };
  add_pieces(pieces, std::move(family));
}

void add_endpoint_gauges(const SharedMetricsPage& page, const EndpointRows& rows,
                         base::PagePieces& pieces) {
  add_for_endpoints(page, rows, pieces,
                    {.kind = Family::Kind::gauge,
                     .name = "penstock_upstream_connections_active",
                     .help = "Connections to an endpoint, attempts under way included."},
                    [](Family& family, const EndpointRow& row, Label upstream, Label endpoint) {
                      family.add({upstream, endpoint}, row.sum([](const auto& one) {
                        return one.live->active.load(std::memory_order_relaxed);
                      }));
                    });
  add_for_endpoints(
      page, rows, pieces,
      {.kind = Family::Kind::gauge,
       .name = "penstock_endpoint_up",
       .help = "1 where an endpoint gets new connections, or would if those before it failed."},
      [](Family& family, const EndpointRow& row, Label upstream, Label endpoint) {
        family.add({upstream, endpoint}, row.sum([](const auto& one) { return one.is_up; }));
      });
}

void add_endpoint_counters(const SharedMetricsPage& page, const EndpointRows& rows,
                           base::PagePieces& pieces) {
  add_for_endpoints(
      page, rows, pieces,
      {.kind = Family::Kind::counter,
       .name = "penstock_upstream_connect_failures_total",
       .help = "Attempts to connect that failed, by reason."},
      [](Family& family, const EndpointRow& row, Label upstream, Label endpoint) {
        for (std::size_t reason = 0; reason < upstream::connect_failure_names.size(); ++reason)
          family.add(
              {upstream, endpoint, {"reason", upstream::connect_failure_names.names[reason]}},
              row.sum([reason](const auto& one) {
                return one.live->failures[reason].load(std::memory_order_relaxed);
              }));
      });
  add_for_endpoints(page, rows, pieces,
                    {.kind = Family::Kind::counter,
                     .name = "penstock_endpoint_ejections_total",
                     .help = "Times that an endpoint was ejected for failing too often in a row."},
                    [](Family& family, const EndpointRow& row, Label upstream, Label endpoint) {
                      family.add({upstream, endpoint}, row.sum([](const auto& one) {
                        return one.live->ejections.load(std::memory_order_relaxed);
                      }));
                    });
  add_for_endpoints(
      page, rows, pieces,
      {.kind = Family::Kind::counter,
       .name = "penstock_health_checks_total",
       .help = "Active health checks, by result."},
      [](Family& family, const EndpointRow& row, Label upstream, Label endpoint) {
        for (std::size_t result = 0;
             row.upstream->is_checked && result < upstream::check_result_names.size(); ++result)
          family.add(
              {upstream, endpoint, {"result", upstream::check_result_names.names[result]}},
              row.sum([result](const auto& one) { return one.live->control.checks[result]; }));
      });
}

void add_resolutions(const MetricsInput& input, std::string& text) {
  Family resolutions{text, Family::Kind::counter, "penstock_dns_resolutions_total",
                     "Resolutions of DNS sources, by result."};
  for (const auto& [upstream, counts] : input.dns)
    for (std::size_t result = 0; result < counts.size(); ++result)
      resolutions.add(
          {{"upstream", upstream}, {"result", upstream::dns_result_names.names[result]}},
          counts[result]);
}

}  // namespace

void add_upstream_metrics(const SharedMetricsPage& page, base::PagePieces& pieces) {
  const EndpointRows rows = rows_of(page->input);
  add_endpoint_gauges(page, rows, pieces);
  add_endpoint_counters(page, rows, pieces);
  pieces.push_back([page](std::string& text) { add_resolutions(page->input, text); });
  add_pieces(pieces, {.kind = Family::Kind::gauge,
                      .name = "penstock_upstream_queue_length",
                      .help = "Connections that wait for a free place at an endpoint.",
                      .rows = page->input.upstreams.size(),
                      .add = [page](Family& family, std::size_t i) {
                        family.add(
                            {{"upstream", page->input.upstreams[i].name}},
                            static_cast<std::uint64_t>(page->input.upstreams[i].queue_length));
                      }});
  add_pieces(
      pieces,
      {.kind = Family::Kind::histogram,
       .name = "penstock_upstream_connect_seconds",
       .help = "Time of successful attempts to connect.",
       .rows = page->input.upstreams.size(),
       .add = [page](Family& family, std::size_t i) {
         family.add({{"upstream", page->input.upstreams[i].name}}, page->rows.upstream(i).connect);
       }});
  add_pieces(
      pieces,
      {.kind = Family::Kind::counter,
       .name = "penstock_upstream_retries_total",
       .help = "Attempts to connect after a first one had failed.",
       .rows = page->input.upstreams.size(),
       .add = [page](Family& family, std::size_t i) {
         family.add({{"upstream", page->input.upstreams[i].name}}, page->rows.upstream(i).retries);
       }});
}

}  // namespace penstock::report

#pragma once
// The groups of metrics; metrics_pieces() puts them together.
//
// Owner    of a page: its pieces together. Thread: control.

#include <memory>

#include "report/metrics/family.hpp"
#include "report/metrics/metrics.hpp"
#include "report/totals.hpp"

namespace penstock::report {

// What the pieces of one page share: taken when it was asked for, added up as it is written.
struct MetricsPage {
  explicit MetricsPage(MetricsInput taken)
      : input{std::move(taken)},
        rows{input.forwarders, input.listeners.size(), input.upstreams.size()} {}
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;
  const MetricsInput input;
  TotalsByRow rows;
};
using SharedMetricsPage = std::shared_ptr<MetricsPage>;

// Families with a row for each listener, upstream or endpoint.
void add_connection_metrics(const SharedMetricsPage& page, base::PagePieces& pieces);
void add_upstream_metrics(const SharedMetricsPage& page, base::PagePieces& pieces);
// Few series, whatever the configuration holds.
void add_kernel_metrics(const MetricsInput& input, const SessionTotals& sessions,
                        std::string& text);
void add_relay_metrics(const MetricsInput& input, const SessionTotals& sessions, std::string& text);
void add_file_metrics(const MetricsInput& input, std::string& text);
void add_process_metrics(const MetricsInput& input, const SessionTotals& sessions,
                         std::string& text);

}  // namespace penstock::report

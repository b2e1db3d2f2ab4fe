#pragma once
// The groups of metrics; metrics_pieces() puts them together.

#include <memory>

#include "base/histogram.hpp"
#include "report/metrics/family.hpp"
#include "report/metrics/metrics.hpp"
#include "runtime/forwarder_view.hpp"

namespace penstock::report {

using SharedMetricsInput = std::shared_ptr<const MetricsInput>;

// Families with a row for each listener, upstream or endpoint.
void add_connection_metrics(const SharedMetricsInput& input, base::PagePieces& pieces);
void add_upstream_metrics(const SharedMetricsInput& input, base::PagePieces& pieces);
// Few series, whatever the configuration holds.
void add_kernel_metrics(const MetricsInput& input, std::string& text);
void add_relay_metrics(const MetricsInput& input, std::string& text);
void add_file_metrics(const MetricsInput& input, std::string& text);
void add_process_metrics(const MetricsInput& input, std::string& text);

// Adds one number of every forwarder up.
template <class Pick>
std::uint64_t sum_over_forwarders(const MetricsInput& input, Pick&& pick) {
  std::uint64_t sum = 0;
  for (const auto& forwarder : input.forwarders) sum += pick(forwarder).value();
  return sum;
}

template <class Pick>
base::Histogram::Totals histogram_over_forwarders(const MetricsInput& input, Pick&& pick) {
  base::Histogram::Totals totals;
  for (const auto& forwarder : input.forwarders) pick(forwarder).add_to(totals);
  return totals;
}

}  // namespace penstock::report

#include "control/metrics_family.hpp"

#include <limits>

namespace penstock::control {

namespace {

prometheus::MetricType type_of(Family::Kind kind) {
  switch (kind) {
    case Family::Kind::counter: return prometheus::MetricType::Counter;
    case Family::Kind::gauge: return prometheus::MetricType::Gauge;
    case Family::Kind::histogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

Family::Family(Families& families, Kind kind, std::string name, std::string help)
    : family_{families.emplace_back()} {
  family_.name = std::move(name);
  family_.help = std::move(help);
  family_.type = type_of(kind);
}

prometheus::ClientMetric& Family::series(Labels labels) {
  auto& metric = family_.metric.emplace_back();
  metric.label = std::move(labels);
  return metric;
}

void Family::add(Labels labels, double value) {
  auto& metric = series(std::move(labels));
  if (family_.type == prometheus::MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
}

void Family::add(Labels labels, const base::Histogram::Totals& totals) {
  auto& histogram = series(std::move(labels)).histogram;
  constexpr auto& bounds = base::Histogram::bounds_seconds;
  for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
    histogram.sample_count += totals.buckets[i];
    histogram.bucket.push_back(
        {.cumulative_count = histogram.sample_count,
         .upper_bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
  }
  histogram.sample_sum = totals.sum_seconds;
}

}  // namespace penstock::control

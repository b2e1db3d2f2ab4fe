#include "control/metrics_family.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

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

struct Families::Parts {
  std::vector<prometheus::MetricFamily> all;

  prometheus::ClientMetric& add_series(std::size_t place, Labels labels) {
    auto& metric = all[place].metric.emplace_back();
    metric.label.reserve(labels.size());
    for (Label& label : labels)
      metric.label.push_back({.name = std::move(label.name), .value = std::move(label.value)});
    return metric;
  }
};

Families::Families() : parts_{std::make_unique<Parts>()} {}

Families::~Families() = default;

std::string Families::text() const {
  const prometheus::TextSerializer serializer;
  return serializer.Serialize(parts_->all);
}

Family::Family(Families& families, Kind kind, std::string name, std::string help)
    : parts_{*families.parts_}, kind_{kind}, place_{parts_.all.size()} {
  parts_.all.push_back(
      {.name = std::move(name), .help = std::move(help), .type = type_of(kind), .metric = {}});
}

void Family::add(Labels labels, double value) {
  auto& metric = parts_.add_series(place_, std::move(labels));
  if (kind_ == Kind::counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
}

void Family::add(Labels labels, const base::Histogram::Totals& totals) {
  auto& histogram = parts_.add_series(place_, std::move(labels)).histogram;
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

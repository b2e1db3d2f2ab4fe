#pragma once
// One metric family under construction: its name, its help and its series.

#include <prometheus/metric_family.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/histogram.hpp"

namespace penstock::control {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::vector<prometheus::ClientMetric::Label>;

// Adds to a family in `families`. A reference into it lasts until the next Family is made.
class Family {
 public:
  enum class Kind { counter, gauge, histogram };
  Family(Families& families, Kind kind, std::string name, std::string help);

  void add(Labels labels, double value);
  void add(Labels labels, std::uint64_t value) {
    add(std::move(labels), static_cast<double>(value));
  }
  void add(Labels labels, const base::Histogram::Totals& totals);

 private:
  prometheus::ClientMetric& series(Labels labels);
  prometheus::MetricFamily& family_;
};

}  // namespace penstock::control

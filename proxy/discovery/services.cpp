#include "discovery/services.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/limits.hpp"

namespace penstock::discovery {

namespace {

constexpr std::uint32_t times_of_a_zero = 100;

using Record = os::ServiceRecord;
using Records = std::vector<Record>;

// Of one priority: what the weights are multiplied by, so that a 0 can be written as 1.
std::uint32_t factor_of(Records::const_iterator first, Records::const_iterator last) {
  const auto [lowest, highest] = std::minmax_element(
      first, last,
      [](const Record& one, const Record& other) { return one.weight < other.weight; });
  if (lowest->weight > 0 || highest->weight == 0) return 1;
  return std::clamp<std::uint32_t>(base::weight_max / highest->weight, 1, times_of_a_zero);
}

}  // namespace

std::vector<Service> services_of(Records records) {
  std::stable_sort(records.begin(), records.end(), [](const Record& one, const Record& other) {
    return one.priority < other.priority;
  });
  std::vector<Service> services;
  std::set<std::tuple<std::string, std::uint16_t>> seen;
  std::size_t rank = 0;
  for (auto first = records.cbegin(); first != records.cend(); ++rank) {
    const auto last = std::find_if(first, records.cend(), [&](const Record& record) {
      return record.priority != first->priority;
    });
    const std::uint32_t factor = factor_of(first, last);
    for (; first != last; ++first)
      if (seen.emplace(first->target, first->port).second)
        services.push_back({.target = first->target,
                            .port = first->port,
                            .priority = static_cast<std::uint8_t>(std::min(rank, priority_max)),
                            .weight = std::max<std::uint32_t>(1, first->weight * factor)});
  }
  return services;
}

}  // namespace penstock::discovery

#include "control/metrics_parts.hpp"
#include "files/site_view.hpp"
#include "session/counters.hpp"

namespace penstock::control {

namespace {

using files::CacheCounters;

// Over the forwarders, of one site.
template <class Which>
std::uint64_t sum_of(const MetricsInput& input, const files::Site* site, Which&& which) {
  std::uint64_t sum = 0;
  for (const auto& forwarder : input.forwarders) {
    if (forwarder.sites == nullptr) continue;
    for (const files::SiteView& view : forwarder.sites->all())
      if (&view.site() == site) sum += which(view.cache().counters()).value();
  }
  return sum;
}

}  // namespace

void add_file_metrics(const MetricsInput& input, Families& families) {
  Family open{families, Family::Kind::gauge, "penstock_open_files",
              "Descriptors of files that are kept open between requests."};
  Family lookups{families, Family::Kind::counter, "penstock_open_file_lookups_total",
                 "Names that were asked for: known already (hit), or looked up (miss)."};
  Family evictions{families, Family::Kind::counter, "penstock_open_file_evictions_total",
                   "Names that made room for others."};
  for (const auto& listener : input.listeners) {
    if (listener.site == nullptr) continue;
    const auto add = [&](Family& family, control::Labels labels, auto&& which) {
      labels.insert(labels.begin(), {"listener", listener.name});
      family.add(std::move(labels), sum_of(input, listener.site, which));
    };
    add(
        open, {}, [](const CacheCounters& of) -> auto& { return of.open; });
    add(
        lookups, {{"result", "hit"}}, [](const CacheCounters& of) -> auto& { return of.hits; });
    add(
        lookups, {{"result", "miss"}}, [](const CacheCounters& of) -> auto& { return of.misses; });
    add(
        evictions, {}, [](const CacheCounters& of) -> auto& { return of.evictions; });
  }
}

}  // namespace penstock::control

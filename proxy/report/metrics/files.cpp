#include "files/site_cache.hpp"
#include "report/metrics/parts.hpp"
#include "session/counters.hpp"

namespace penstock::report {

namespace {

// Over the forwarders, of one site.
template <class Which>
std::uint64_t sum_of(const MetricsInput& input, const files::Site* site, Which&& which) {
  std::uint64_t sum = 0;
  for (const auto& forwarder : input.forwarders) {
    if (forwarder.sites == nullptr) continue;
    for (const files::SiteCache& view : forwarder.sites->all())
      if (&view.site() == site) sum += which(view.cache().counters()).value();
  }
  return sum;
}

}  // namespace

void add_file_metrics(const MetricsInput& input, std::string& text) {
  const auto for_each_site = [&](auto&& add) {
    for (const auto& listener : input.listeners)
      if (listener.site != nullptr) add(listener);
  };
  Family open{text, Family::Kind::gauge, "penstock_open_files",
              "Descriptors of files that are kept open between requests."};
  for_each_site([&](const auto& listener) {
    open.add({{"listener", listener.name}},
             sum_of(
                 input, listener.site, [](const auto& of) -> auto& { return of.open; }));
  });
  Family lookups{text, Family::Kind::counter, "penstock_open_file_lookups_total",
                 "Names that were asked for: known already (hit), or looked up (miss)."};
  for_each_site([&](const auto& listener) {
    lookups.add({{"listener", listener.name}, {"result", "hit"}},
                sum_of(
                    input, listener.site, [](const auto& of) -> auto& { return of.hits; }));
    lookups.add({{"listener", listener.name}, {"result", "miss"}},
                sum_of(
                    input, listener.site, [](const auto& of) -> auto& { return of.misses; }));
  });
  Family evictions{text, Family::Kind::counter, "penstock_open_file_evictions_total",
                   "Names that made room for others."};
  for_each_site([&](const auto& listener) {
    evictions.add({{"listener", listener.name}},
                  sum_of(
                      input, listener.site, [](const auto& of) -> auto& { return of.evictions; }));
  });
}

}  // namespace penstock::report

#include "report/metrics/parts.hpp"

namespace penstock::report {

namespace {

struct SiteRow {
  std::string_view listener;
  FileTotals totals;
};

std::vector<SiteRow> rows_of(const MetricsInput& input) {
  std::vector<SiteRow> rows;
  for (const auto& listener : input.listeners)
    if (listener.site != nullptr)
      rows.push_back({listener.name, file_totals(input.forwarders, *listener.site)});
  return rows;
}

}  // namespace

void add_file_metrics(const MetricsInput& input, std::string& text) {
  const std::vector<SiteRow> rows = rows_of(input);
  Family open{text, Family::Kind::gauge, "penstock_open_files",
              "Descriptors of files that are kept open between requests."};
  for (const SiteRow& row : rows) open.add({{"listener", row.listener}}, row.totals.open);
  Family lookups{text, Family::Kind::counter, "penstock_open_file_lookups_total",
                 "Names that were asked for: known already (hit), or looked up (miss)."};
  for (const SiteRow& row : rows) {
    lookups.add({{"listener", row.listener}, {"result", "hit"}}, row.totals.hits);
    lookups.add({{"listener", row.listener}, {"result", "miss"}}, row.totals.misses);
  }
  Family evictions{text, Family::Kind::counter, "penstock_open_file_evictions_total",
                   "Names that made room for others."};
  for (const SiteRow& row : rows) evictions.add({{"listener", row.listener}}, row.totals.evictions);
}

}  // namespace penstock::report

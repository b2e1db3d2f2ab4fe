#include "upstream/discovery_dns.hpp"

#include <ares.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/limits.hpp"
#include "upstream/alarm.hpp"
#include "upstream/discovery_dns_lookup.hpp"

namespace penstock::upstream {

namespace {

std::string_view reason(DnsResult result) {
  switch (result) {
    case DnsResult::ok: return "it was";
    case DnsResult::nxdomain: return "there is no such name";
    case DnsResult::no_data: return "the name has no record of this type";
    case DnsResult::servfail: return "the name server could not find out (SERVFAIL)";
    case DnsResult::refused: return "the name server refuses to answer (REFUSED)";
    case DnsResult::timeout: return "no name server answered in time";
    case DnsResult::unreachable: return "no name server listens at the address in use";
    case DnsResult::other: break;
  }
  return "the answer could not be read";
}

}  // namespace

struct DnsWatch::Source {
  Source(SourceId own_id, DnsSource own_spec, boost::asio::io_context& io)
      : id{std::move(own_id)}, spec{std::move(own_spec)}, alarm{io} {}

  const SourceId id;
  const DnsSource spec;
  Alarm alarm;                        // for the next lookup
  std::unique_ptr<DnsLookup> lookup;  // while one is under way
  std::vector<EndpointSpec> endpoints;
  KnownHosts hosts;
  bool has_answer = false;
  bool is_cut = false;
  int failures = 0;  // in a row
};

base::Duration dns_wait(const DnsSource& source, base::Duration keep, int failures) noexcept {
  const bool has_refresh = source.refresh.count() > 0;
  if (failures == 0)
    return has_refresh ? source.refresh : std::clamp(keep, dns_keep_min, dns_keep_max);
  const base::Duration again = dns_keep_min * (1LL << std::min(failures - 1, 16));
  return std::min({again, dns_keep_max, has_refresh ? source.refresh : dns_keep_max});
}

// The library's own initialisation is counted: each watch has its own.
DnsWatch::DnsWatch(boost::asio::io_context& io, DnsReports reports, std::string servers)
    : io_{io}, reports_{std::move(reports)}, servers_{std::move(servers)} {
  ares_library_init(ARES_LIB_INIT_ALL);
}

DnsWatch::~DnsWatch() {
  sources_.clear();
  ares_library_cleanup();
}

void DnsWatch::watch(const SourceId& id, DnsSource source) {
  auto& place = sources_[id];
  place = std::make_shared<Source>(id, std::move(source), io_);
  resolve(*place);
}

void DnsWatch::forget(const SourceId& id) {
  sources_.erase(id);
}

void DnsWatch::resolve(Source& source) {
  source.lookup = std::make_unique<DnsLookup>(
      io_, servers_, source.spec, source.hosts,
      [this, id = source.id](DnsFound found) { take(id, std::move(found)); });
}

void DnsWatch::wait(Source& source, base::Duration time) {
  source.alarm.set(time, [this, weak = std::weak_ptr{sources_.at(source.id)}] {
    const auto self = weak.lock();
    if (self != nullptr) resolve(*self);
  });
}

// Everything is settled before the first report is made, because a report may forget the source.
void DnsWatch::take(const SourceId& id, DnsFound found) {
  const std::shared_ptr<Source> source = sources_.at(id);
  source->lookup.reset();
  const bool is_good = found.result == DnsResult::ok;
  const int failures_before = std::exchange(source->failures, is_good ? 0 : source->failures + 1);
  wait(*source, dns_wait(source->spec, found.keep, source->failures));
  const std::size_t found_count = found.endpoints.size();
  bool is_news = false;
  if (is_good) {
    if (found_count > base::endpoints_max) found.endpoints.resize(base::endpoints_max);
    is_news = !source->has_answer || source->endpoints != found.endpoints;
    source->has_answer = true;
    source->hosts = std::move(found.hosts);
    source->endpoints = std::move(found.endpoints);
  }
  tell(*source, found.result, failures_before, found_count);
  const auto still = sources_.find(id);
  if (is_news && still != sources_.end() && still->second == source)
    reports_.found(id, source->endpoints);
}

void DnsWatch::tell(Source& source, DnsResult result, int failures_before,
                    std::size_t found_count) {
  const std::string name =
      fmt::format("upstream '{}': dns {}", source.id.upstream, source.spec.name);
  const bool was_cut = std::exchange(source.is_cut, found_count > base::endpoints_max);
  if (source.is_cut && !was_cut)
    reports_.said(fmt::format("{} has {} addresses; the first {} are used, which is the most that "
                              "one upstream can have",
                              name, found_count, base::endpoints_max),
                  base::Severity::warning);
  if (result != DnsResult::ok && failures_before == 0)
    reports_.said(
        fmt::format("{} cannot be resolved: {}; {}, and it is tried again", name, reason(result),
                    source.has_answer
                        ? fmt::format("its {} endpoints of the last answer stay in use",
                                      source.endpoints.size())
                        : "it has no endpoints until it can"),
        base::Severity::warning);
  if (result == DnsResult::ok && failures_before > 0)
    reports_.said(fmt::format("{} is resolved again after {} failures; it has {} endpoints", name,
                              failures_before, source.endpoints.size()),
                  base::Severity::info);
  reports_.resolved(source.id, result);
}

}  // namespace penstock::upstream

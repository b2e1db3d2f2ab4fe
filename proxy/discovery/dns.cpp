#include "discovery/dns.hpp"

#include <ares.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/limits.hpp"
#include "discovery/dns_lookup.hpp"
#include "io/alarm.hpp"
#include "os/clock.hpp"

namespace penstock::discovery {

namespace {

std::string_view reason(upstream::DnsResult result) {
  switch (result) {
    case upstream::DnsResult::ok: return "it was";
    case upstream::DnsResult::nxdomain: return "there is no such name";
    case upstream::DnsResult::no_data: return "the name has no record of this type";
    case upstream::DnsResult::servfail: return "the name server could not find out (SERVFAIL)";
    case upstream::DnsResult::refused: return "the name server refuses to answer (REFUSED)";
    case upstream::DnsResult::timeout: return "no name server answered in time";
    case upstream::DnsResult::unreachable: return "no name server listens at the address in use";
    case upstream::DnsResult::other: break;
  }
  return "the answer could not be read";
}

}  // namespace

struct DnsWatch::Source {
  Source(SourceId own_id, upstream::DnsSource own_spec, boost::asio::io_context& io)
      : id{std::move(own_id)}, spec{own_spec}, alarm{io}, history{std::move(own_spec)} {}

  std::string name() const { return fmt::format("upstream '{}': dns {}", id.upstream, spec.name); }

  const SourceId id;
  const upstream::DnsSource spec;
  io::Alarm alarm;                    // for the next look-up
  std::unique_ptr<DnsLookup> lookup;  // while one is under way
  DnsHistory history;
  std::string decided;  // the whole name that had the records
  base::Instant began{};
  std::optional<base::Instant> first_known;  // of the look-up under way
  bool has_answer = false;
  bool is_cut = false;
  std::vector<std::string> unusable;  // that were told
  int failures = 0;                   // in a row
};

base::Duration dns_wait(const upstream::DnsSource& source, base::Duration keep,
                        int failures) noexcept {
  const bool has_refresh = source.refresh.count() > 0;
  if (failures == 0)
    return has_refresh ? source.refresh : std::clamp(keep, dns_keep_min, dns_keep_max);
  const base::Duration again = dns_keep_min * (1LL << std::min(failures - 1, 16));
  return std::min({again, dns_keep_max, has_refresh ? source.refresh : dns_keep_max});
}

// The library's own initialisation is counted: each watch has its own.
DnsWatch::DnsWatch(boost::asio::io_context& io, DnsReports reports,
                   std::optional<ResolverConfig> resolver)
    : io_{io}, reports_{std::move(reports)}, resolver_{std::move(resolver)} {
  ares_library_init(ARES_LIB_INIT_ALL);
}

DnsWatch::~DnsWatch() {
  sources_.clear();
  ares_library_cleanup();
}

void DnsWatch::watch(const SourceId& id, upstream::DnsSource source) {
  auto& place = sources_[id];
  place = std::make_shared<Source>(id, std::move(source), io_);
  resolve(*place);
}

void DnsWatch::forget(const SourceId& id) {
  sources_.erase(id);
}

void DnsWatch::hurry(const std::string& upstream) {
  const base::Instant now = os::now();
  for (auto source = sources_.lower_bound({.upstream = upstream, .index = 0});
       source != sources_.end() && source->first.upstream == upstream; ++source) {
    Source& asked = *source->second;
    if (asked.lookup != nullptr) continue;
    wait(asked, std::max(base::Duration{0}, asked.began + dns_keep_min - now));
  }
}

void DnsWatch::resolve(Source& source) {
  source.began = os::now();
  source.first_known.reset();
  source.lookup = std::make_unique<DnsLookup>(
      io_, servers_, resolver_ ? *resolver_ : load_resolver_config(), source.spec, source.decided,
      [this, id = source.id](DnsFound found) { take(id, std::move(found)); });
}

void DnsWatch::wait(Source& source, base::Duration time) {
  source.alarm.set(time, [this, weak = std::weak_ptr{sources_.at(source.id)}] {
    const auto self = weak.lock();
    if (self != nullptr && self->lookup == nullptr) resolve(*self);
  });
}

// Everything is settled before the first report is made, because a report may forget the source.
void DnsWatch::take(const SourceId& id, DnsFound found) {
  const std::shared_ptr<Source> source = sources_.at(id);
  const bool is_good = found.result == upstream::DnsResult::ok;
  if (!is_good && !found.is_final) return;
  const base::Instant now = os::now();
  DnsHistory::Change change;
  if (is_good) {
    change = source->history.take(found, now);
    change.is_change = change.is_change || !source->has_answer;
    source->has_answer = true;
    source->decided = found.name;
    if (!source->first_known) source->first_known = now;
  } else if (upstream::is_answer(found.result)) {
    change = source->history.take_absence(now);
  }
  const int failures_before = source->failures;
  if (found.is_final) end(*source, found);
  const auto is_there = [&] {
    const auto still = sources_.find(id);
    return still != sources_.end() && still->second == source;
  };
  tell(*source, found, change, failures_before);
  if (change.is_change && is_there())
    reports_.found(id, {.now = source->history.endpoints(), .left = std::move(change.left)});
  if (found.is_final && is_there()) reports_.resolved(id, found.result);
}

void DnsWatch::end(Source& source, const DnsFound& found) {
  const base::Instant now = os::now();
  const bool is_good = found.result == upstream::DnsResult::ok;
  source.lookup.reset();
  source.failures = is_good ? 0 : source.failures + 1;
  base::Duration time = dns_wait(source.spec, found.keep, source.failures);
  if (is_good) time -= now - *source.first_known;
  if (upstream::is_answer(found.result) && source.history.hold_ends() != base::never)
    time = std::min(time, source.history.hold_ends() - now);
  wait(source, std::max(time, base::Duration{0}));
}

void DnsWatch::tell(Source& source, const DnsFound& found, const DnsHistory::Change& change,
                    int failures_before) {
  tell_of_addresses(source, found, change);
  const bool is_good = found.result == upstream::DnsResult::ok;
  if (!is_good && !change.left.empty())
    reports_.said(
        fmt::format("{}: {}, and that has lasted for nx_hold: its {} endpoints get no new "
                    "connections any more",
                    source.name(), reason(found.result), change.left.size()),
        logging::Severity::warning);
  else if (!is_good && failures_before == 0)
    reports_.said(fmt::format("{} cannot be resolved: {}; {}, and it is tried again", source.name(),
                              reason(found.result), what_stays(source, found.result)),
                  logging::Severity::warning);
  if (is_good && found.is_final && failures_before > 0)
    reports_.said(fmt::format("{} is resolved again after {} failures; it has {} endpoints",
                              source.name(), failures_before, source.history.size()),
                  logging::Severity::info);
}

std::string DnsWatch::what_stays(const Source& source, upstream::DnsResult result) {
  if (source.history.size() == 0) return "it has no endpoints until it can";
  const bool is_held = upstream::is_answer(result) && source.spec.nx_hold.has_value();
  return fmt::format("its {} endpoints of the last answer stay in use{}", source.history.size(),
                     is_held ? " until that has lasted for nx_hold" : "");
}

void DnsWatch::tell_of_addresses(Source& source, const DnsFound& found,
                                 const DnsHistory::Change& change) {
  const bool was_cut = std::exchange(source.is_cut, change.cut > 0);
  if (source.is_cut && !was_cut)
    reports_.said(fmt::format("{} has {} addresses; the first {} are used, which is the most that "
                              "one upstream can have",
                              source.name(), found.endpoints.size(), base::endpoints_max),
                  logging::Severity::warning);
  if (!found.unusable.empty() && found.unusable != source.unusable)
    reports_.said(fmt::format("{} names {}{}, where nobody can be connected to: left out",
                              source.name(), found.unusable.front(),
                              found.unusable.size() > 1
                                  ? fmt::format(" and {} more", found.unusable.size() - 1)
                                  : ""),
                  logging::Severity::warning);
  if (found.is_final) source.unusable = found.unusable;
}

}  // namespace penstock::discovery

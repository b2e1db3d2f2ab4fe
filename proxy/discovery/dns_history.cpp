#include "discovery/dns_history.hpp"

#include <algorithm>
#include <utility>

#include "base/limits.hpp"

namespace penstock::discovery {

DnsHistory::Change DnsHistory::take(const DnsFound& found, base::Instant now) {
  Change change;
  absent_since_.reset();
  const std::span<const DnsEndpoint> all{found.endpoints};
  const auto named = all.first(std::min(all.size(), base::endpoints_max));
  change.cut = all.size() - named.size();
  for (const DnsEndpoint& endpoint : named) note(endpoint, now, change);
  miss(named, found, change);
  make_room(change);
  return change;
}

void DnsHistory::note(const DnsEndpoint& endpoint, base::Instant now, Change& change) {
  auto [address, is_new] = addresses_.try_emplace(endpoint.spec.identity);
  Address& known = address->second;
  change.is_change = change.is_change || is_new || known.endpoint.spec != endpoint.spec;
  known = {.endpoint = endpoint, .misses = 0, .named = now};
}

// A partial answer is followed by one that says the same again: a question counts once.
void DnsHistory::miss(std::span<const DnsEndpoint> endpoints, const DnsFound& found,
                      Change& change) {
  std::set<std::string> named;
  for (const DnsEndpoint& endpoint : endpoints) named.insert(endpoint.spec.identity);
  std::set<DnsOrigin> counted;
  for (auto address = addresses_.begin(); address != addresses_.end();) {
    const auto here = address++;
    const DnsOrigin& origin = here->second.endpoint.origin;
    if (found.unanswered.contains(origin)) continue;
    counted.insert(origin);
    if (named.contains(here->first) || counted_.contains(origin)) continue;
    if (++here->second.misses >= source_.gone_after) leave(here, change);
  }
  counted_.merge(counted);
  if (found.is_final) counted_.clear();
}

void DnsHistory::leave(std::map<std::string, Address>::iterator address, Change& change) {
  change.is_change = true;
  change.left[address->second.endpoint.spec.address] = address->second.named + source_.forget_after;
  addresses_.erase(address);
}

// Those that the last answer named have no misses, and there is room for all of them.
void DnsHistory::make_room(Change& change) {
  if (addresses_.size() <= base::endpoints_max) return;
  std::vector<std::map<std::string, Address>::iterator> all;
  for (auto address = addresses_.begin(); address != addresses_.end(); ++address)
    all.push_back(address);
  std::stable_sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return one->second.misses < other->second.misses;
  });
  for (std::size_t i = base::endpoints_max; i < all.size(); ++i) leave(all[i], change);
}

base::Instant DnsHistory::hold_ends() const noexcept {
  if (!absent_since_ || !source_.nx_hold || addresses_.empty()) return base::never;
  return *absent_since_ + *source_.nx_hold;
}

DnsHistory::Change DnsHistory::take_absence(base::Instant now) {
  Change change;
  counted_.clear();
  if (!absent_since_) absent_since_ = now;
  if (now < hold_ends()) return change;
  while (!addresses_.empty()) leave(addresses_.begin(), change);
  return change;
}

std::vector<upstream::EndpointSpec> DnsHistory::endpoints() const {
  std::vector<upstream::EndpointSpec> endpoints;
  for (const auto& [identity, address] : addresses_) endpoints.push_back(address.endpoint.spec);
  return endpoints;
}

}  // namespace penstock::discovery

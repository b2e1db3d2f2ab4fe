#include "upstream/discovery_dns_lookup.hpp"

#include <algorithm>
#include <utility>

namespace penstock::upstream {

namespace {

using Family = os::IpEndpoint::Family;
constexpr std::array<Family, 2> families{Family::v4, Family::v6};

// Of several answers to one question: an address beats all, then what is in trouble is told, then
// that the name exists.
DnsResult more_telling(DnsResult one, DnsResult other) noexcept {
  if (one == DnsResult::ok || other == DnsResult::ok) return DnsResult::ok;
  return std::max(one, other);
}

}  // namespace

static_assert(DnsResult::nxdomain < DnsResult::no_data && DnsResult::no_data < DnsResult::servfail,
              "more_telling() relies on this order");

DnsLookup::DnsLookup(boost::asio::io_context& io, const std::string& servers, DnsSource source,
                     KnownHosts known, std::function<void(DnsFound)> done)
    : io_{io},
      source_{std::move(source)},
      known_{std::move(known)},
      done_{std::move(done)},
      deadline_{io},
      channel_{io, servers} {
  deadline_.set(lookup_max, [this, life = std::weak_ptr{alive_}] {
    if (life.expired()) return;
    is_late_ = true;
    channel_.cancel();
  });
  if (source_.type == DnsSource::Type::srv) {
    channel_.ask_services(source_.name,
                          [this](DnsServices answer) { take_services(std::move(answer)); });
    return;
  }
  services_.push_back({.target = source_.name,
                       .port = source_.port,
                       .priority = source_.priority,
                       .weight = source_.weight});
  add_host(source_.name);
  ask_next_hosts();
}

DnsLookup::~DnsLookup() = default;

void DnsLookup::add_host(const std::string& name) {
  if (host_of_.emplace(name, hosts_.size()).second) hosts_.push_back({.name = name, .answers = {}});
}

void DnsLookup::take_services(DnsServices answer) {
  if (answer.result != DnsResult::ok)
    return end_with({.result = answer.result, .endpoints = {}, .hosts = {}});
  keep_ = std::min(keep_, answer.keep);
  services_ = services_of(std::move(answer.records));
  for (Service& service : services_) {
    // A target is a whole name: the dot at its end keeps the search domains out.
    if (!service.target.ends_with('.')) service.target += '.';
    if (source_.port != 0) service.port = source_.port;
    add_host(service.target);
  }
  ask_next_hosts();
}

// Answers may come at once, within the calls here: then this loop goes on by itself.
void DnsLookup::ask_next_hosts() {
  is_asking_ = true;
  while (asked_ < hosts_.size() && asked_ - complete_ < hosts_at_once) {
    const std::size_t host = asked_++;
    for (const std::size_t family : {0U, 1U}) {
      const auto take = [this, host, family](DnsAddresses answer) {
        take_addresses(host, family, std::move(answer));
      };
      if (is_late_)
        take({.result = DnsResult::timeout, .addresses = {}, .keep = dns_keep_max});
      else
        channel_.ask_addresses(hosts_[host].name, families[family], take);
    }
  }
  is_asking_ = false;
}

void DnsLookup::take_addresses(std::size_t host, std::size_t family, DnsAddresses answer) {
  if (answer.result == DnsResult::ok) keep_ = std::min(keep_, answer.keep);
  hosts_[host].answers[family] = std::move(answer);
  if (!hosts_[host].is_complete()) return;
  if (++complete_ == hosts_.size()) return finish();
  if (!is_asking_) ask_next_hosts();
}

DnsResult DnsLookup::Host::result() const {
  return more_telling(answers[0]->result, answers[1]->result);
}

DnsResult DnsLookup::result() const {
  DnsResult all = DnsResult::nxdomain;
  for (const Host& host : hosts_) all = more_telling(all, host.result());
  return all;
}

const std::vector<os::IpEndpoint>& DnsLookup::addresses_of(const Host& host,
                                                           std::size_t family) const {
  if (is_answer(host.answers[family]->result)) return host.answers[family]->addresses;
  const auto known = known_.find(host.name);
  return known == known_.end() ? host.answers[family]->addresses : known->second[family];
}

void DnsLookup::add_endpoints(const Service& service, const Host& host,
                              std::map<std::string, EndpointSpec>& endpoints) const {
  for (const std::size_t family : {0U, 1U}) {
    for (os::IpEndpoint ip : addresses_of(host, family)) {
      ip.port = service.port;
      const os::SocketAddress address{ip};
      endpoints.emplace(address.to_string(),
                        EndpointSpec{.identity = address.to_string(),
                                     .address = address,
                                     .weight = service.weight,
                                     .priority = service.priority,
                                     .max_connections = source_.max_connections});
    }
  }
}

void DnsLookup::finish() {
  DnsFound found{.result = result(), .endpoints = {}, .hosts = {}, .keep = keep_};
  if (found.result != DnsResult::ok) return end_with(std::move(found));
  for (const Host& host : hosts_)
    found.hosts[host.name] = {addresses_of(host, 0), addresses_of(host, 1)};
  std::map<std::string, EndpointSpec> endpoints;
  for (const Service& service : services_)
    add_endpoints(service, hosts_[host_of_.at(service.target)], endpoints);
  for (auto& [identity, endpoint] : endpoints) found.endpoints.push_back(std::move(endpoint));
  end_with(std::move(found));
}

void DnsLookup::end_with(DnsFound found) {
  deadline_.cancel();
  call_later(io_, [this, life = std::weak_ptr{alive_}, found = std::move(found)]() mutable {
    if (life.expired()) return;
    const auto done = std::move(done_);
    done(std::move(found));
  });
}

}  // namespace penstock::upstream

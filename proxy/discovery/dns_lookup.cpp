#include "discovery/dns_lookup.hpp"

#include <algorithm>
#include <utility>

namespace penstock::discovery {

namespace {

// A try that was lost is made again, and its answer takes a moment.
constexpr base::Duration moment = std::chrono::seconds{1};

std::vector<os::DnsType> types_of(upstream::DnsSource::Family family) {
  switch (family) {
    case upstream::DnsSource::Family::v4: return {os::DnsType::a};
    case upstream::DnsSource::Family::v6: return {os::DnsType::aaaa};
    case upstream::DnsSource::Family::any: break;
  }
  return {os::DnsType::a, os::DnsType::aaaa};
}

bool is_of(const os::IpEndpoint& address, os::DnsType type) {
  return (address.family == os::IpEndpoint::Family::v4) == (type == os::DnsType::a);
}

base::Duration keep_of(const os::DnsRecords& records) noexcept {
  return std::clamp<base::Duration>(std::chrono::seconds{records.ttl_seconds}, dns_keep_min,
                                    dns_keep_max);
}

// The hosts file speaks for both families, also where it has nothing for one of them.
DnsReply reply_from(const std::vector<os::IpEndpoint>& file, os::DnsType type) {
  DnsReply reply{.result = upstream::DnsResult::ok, .records = {}};
  for (const os::IpEndpoint& address : file)
    if (is_of(address, type)) reply.records.addresses.push_back(address);
  if (reply.records.addresses.empty()) reply.result = upstream::DnsResult::no_data;
  return reply;
}

}  // namespace

bool DnsLookup::Host::is_complete() const {
  return std::count(answers.begin(), answers.end(), std::nullopt) == 0;
}

upstream::DnsResult DnsLookup::Host::result() const {
  upstream::DnsResult result = upstream::DnsResult::nxdomain;
  for (const auto& answer : answers)
    result = upstream::more_telling(result, answer ? answer->result : upstream::DnsResult::timeout);
  return result;
}

DnsLookup::DnsLookup(boost::asio::io_context& io, DnsServers& servers, ResolverConfig config,
                     upstream::DnsSource source, std::string decided,
                     std::function<void(DnsFound)> report)
    : source_{std::move(source)},
      resolver_{.io = io, .servers = servers, .config = std::move(config)},
      decided_{std::move(decided)},
      types_{types_of(source_.family)},
      report_{std::move(report)},
      deadline_{io},
      patience_{io},
      partial_{io} {
  const auto names = static_cast<int>(search_names(resolver_.config, source_.name).size());
  deadline_.set(resolver_.config.longest_question() * (names + 2), while_alive(&DnsLookup::finish));
  if (source_.type == upstream::DnsSource::Type::srv) {
    services_walk_ = std::make_unique<DnsWalk>(
        resolver_, source_.name, std::vector{os::DnsType::srv}, decided_,
        [this](DnsWalk::Answer answer) { take_services(std::move(answer)); });
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

std::function<void()> DnsLookup::while_alive(void (DnsLookup::*call)()) {
  return [this, call, life = std::weak_ptr{alive_}] {
    if (!life.expired()) (this->*call)();
  };
}

void DnsLookup::add_host(const std::string& name) {
  if (!host_of_.emplace(name, hosts_.size()).second) return;
  hosts_.push_back({.name = name, .answers = {}, .walk = nullptr});
  hosts_.back().answers.resize(types_.size());
}

void DnsLookup::take_services(DnsWalk::Answer answer) {
  const os::DnsRecords& records = answer.reply.records;
  if (answer.reply.result == upstream::DnsResult::ok && records.services.empty())
    answer.reply.result = upstream::DnsResult::no_data;
  if (answer.reply.result != upstream::DnsResult::ok) return fail(answer.reply.result);
  name_ = answer.name;
  keep_ = std::min(keep_, keep_of(records));
  services_ = services_of(records.services);
  for (Service& service : services_) {
    // A target is a whole name: the dot at its end keeps the search domains out.
    if (!service.target.ends_with('.')) service.target += '.';
    if (source_.port != 0) service.port = source_.port;
    add_host(service.target);
  }
  ask_next_hosts();
}

// The hosts file answers at once, within the calls here.
void DnsLookup::ask_next_hosts() {
  while (asked_ < hosts_.size() && asked_ - complete_ < hosts_at_once) ask(asked_++);
  if (complete_ == hosts_.size()) io::call_later(resolver_.io, while_alive(&DnsLookup::finish));
}

void DnsLookup::ask(std::size_t index) {
  Host& host = hosts_[index];
  const std::string whole =
      host.name.ends_with('.') ? host.name.substr(0, host.name.size() - 1) : host.name;
  if (const auto file = addresses_in_hosts_file(whole); !file.empty()) {
    for (std::size_t type = 0; type < types_.size(); ++type)
      host.answers[type] = reply_from(file, types_[type]);
    ++complete_;
    return;
  }
  const bool is_source = source_.type == upstream::DnsSource::Type::a;
  host.walk = std::make_unique<DnsWalk>(
      resolver_, host.name, types_, is_source ? decided_ : "",
      [this, index](DnsWalk::Answer answer) { take_addresses(index, std::move(answer)); });
}

void DnsLookup::take_addresses(std::size_t index, DnsWalk::Answer answer) {
  Host& host = hosts_[index];
  DnsReply& reply = answer.reply;
  if (reply.result == upstream::DnsResult::ok) {
    keep_ = std::min(keep_, keep_of(reply.records));
    if (source_.type == upstream::DnsSource::Type::a) name_ = answer.name;
    // An alias that leads nowhere.
    if (reply.records.addresses.empty()) reply.result = upstream::DnsResult::no_data;
  }
  is_known_ = is_known_ || reply.result == upstream::DnsResult::ok;
  host.answers[answer.type] = std::move(reply);
  if (host.is_complete()) {
    host.walk.reset();
    ++complete_;
    ask_next_hosts();
  }
  if (is_known_ && complete_ < hosts_.size()) expect_little_more();
}

// Something is known: the rest may come later, or not at all.
void DnsLookup::expect_little_more() {
  patience_.set(resolver_.config.timeout_of(0) + moment, while_alive(&DnsLookup::finish));
  if (std::exchange(has_report_due_, true)) return;
  partial_.set(partial_after, while_alive(&DnsLookup::report_partial));
}

void DnsLookup::report_partial() {
  has_report_due_ = false;
  if (!report_ || complete_ == hosts_.size()) return;
  DnsFound partial = found();
  partial.is_final = false;
  const auto report = report_;
  report(std::move(partial));
}

void DnsLookup::fail(upstream::DnsResult result) {
  DnsFound failed;
  failed.result = result;
  end_with(std::move(failed));
}

// All is known, or its time is over.
void DnsLookup::finish() {
  if (!report_) return;
  if (hosts_.empty()) return fail(upstream::DnsResult::timeout);
  end_with(found());
}

void DnsLookup::end_with(DnsFound found) {
  deadline_.cancel();
  patience_.cancel();
  partial_.cancel();
  const auto report = std::exchange(report_, nullptr);
  report(std::move(found));
}

DnsFound DnsLookup::found() const {
  DnsFound found{.result = upstream::DnsResult::nxdomain,
                 .is_final = true,
                 .endpoints = {},
                 .unanswered = {},
                 .unusable = {},
                 .name = name_,
                 .keep = keep_};
  for (const Host& host : hosts_) {
    found.result = upstream::more_telling(found.result, host.result());
    for (std::size_t type = 0; type < types_.size(); ++type)
      if (!host.answers[type] || !upstream::is_answer(host.answers[type]->result))
        found.unanswered.insert({.host = host.name, .type = types_[type]});
  }
  std::map<std::string, DnsEndpoint> endpoints;
  std::set<std::string> unusable;
  for (const Service& service : services_)
    add_endpoints(service, hosts_[host_of_.at(service.target)], endpoints, unusable);
  for (auto& [identity, endpoint] : endpoints) found.endpoints.push_back(std::move(endpoint));
  found.unusable.assign(unusable.begin(), unusable.end());
  if (found.result == upstream::DnsResult::ok && found.endpoints.empty())
    found.result = upstream::DnsResult::no_data;
  return found;
}

void DnsLookup::add_endpoints(const Service& service, const Host& host,
                              std::map<std::string, DnsEndpoint>& endpoints,
                              std::set<std::string>& unusable) const {
  for (std::size_t type = 0; type < types_.size(); ++type) {
    if (!host.answers[type]) continue;
    for (os::IpEndpoint ip : host.answers[type]->records.addresses) {
      ip.port = service.port;
      const os::SocketAddress address{ip};
      const std::string identity = address.to_string();
      if (!address.is_dialable() || ip.port == 0) {
        unusable.insert(identity);
        continue;
      }
      endpoints.emplace(identity, DnsEndpoint{.spec = {.identity = identity,
                                                       .address = address,
                                                       .weight = service.weight,
                                                       .priority = service.priority,
                                                       .max_connections = source_.max_connections},
                                              .origin = {.host = host.name, .type = types_[type]}});
    }
  }
}

}  // namespace penstock::discovery

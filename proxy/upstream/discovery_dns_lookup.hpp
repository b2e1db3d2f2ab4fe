#pragma once
// One resolution of one DNS source, from its first question to its endpoints.
//
// a      A and AAAA of the name are two questions. A family without records is no failure.
// srv    SRV of the name, then A and AAAA of every target.
// Where one question fails, but not all, what it answered last time is taken: half an answer never
// removes endpoints that nobody said are gone.
//
// Owner    DnsWatch. Thread: that of the io_context.
// Limits   ends within `lookup_max`, then as a timeout; asks for `hosts_at_once` targets at a time.

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "os/address.hpp"
#include "upstream/alarm.hpp"
#include "upstream/discovery_dns_channel.hpp"
#include "upstream/discovery_services.hpp"
#include "upstream/dns_result.hpp"
#include "upstream/spec.hpp"

namespace penstock::upstream {

// IPv4 and IPv6 addresses of each name.
using HostAddresses = std::array<std::vector<os::IpEndpoint>, 2>;
using KnownHosts = std::map<std::string, HostAddresses>;

struct DnsFound {
  DnsResult result = DnsResult::other;
  std::vector<EndpointSpec> endpoints;  // by identity, each once
  KnownHosts hosts;                     // of these endpoints, for the next lookup
  base::Duration keep = dns_keep_max;
};

class DnsLookup {
 public:
  static constexpr base::Duration lookup_max = std::chrono::seconds{10};
  static constexpr std::size_t hosts_at_once = 16;

  // `known` are the hosts of the last good answer. `done` is called once, later than this call, as
  // the last thing that happens: it may destroy the lookup.
  DnsLookup(boost::asio::io_context& io, const std::string& servers, DnsSource source,
            KnownHosts known, std::function<void(DnsFound)> done);
  DnsLookup(const DnsLookup&) = delete;
  DnsLookup& operator=(const DnsLookup&) = delete;
  // `done` is not called any more.
  ~DnsLookup();

 private:
  // A name whose addresses are asked for.
  struct Host {
    std::string name;
    std::array<std::optional<DnsAddresses>, 2> answers;
    bool is_complete() const { return answers[0] && answers[1]; }
    DnsResult result() const;
  };

  void add_host(const std::string& name);
  void take_services(DnsServices answer);
  void ask_next_hosts();
  void take_addresses(std::size_t host, std::size_t family, DnsAddresses answer);
  void finish();
  DnsResult result() const;
  const std::vector<os::IpEndpoint>& addresses_of(const Host& host, std::size_t family) const;
  void add_endpoints(const Service& service, const Host& host,
                     std::map<std::string, EndpointSpec>& endpoints) const;
  void end_with(DnsFound found);

  boost::asio::io_context& io_;
  const DnsSource source_;
  const KnownHosts known_;
  std::function<void(DnsFound)> done_;
  std::vector<Service> services_;  // of type a: one, the name itself
  std::vector<Host> hosts_;
  std::map<std::string, std::size_t> host_of_;  // by name, into hosts_
  std::size_t asked_ = 0;                       // hosts
  std::size_t complete_ = 0;
  bool is_asking_ = false;  // within ask_next_hosts()
  bool is_late_ = false;
  base::Duration keep_ = dns_keep_max;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  Alarm deadline_;
  DnsChannel channel_;  // the last member: its answers need the others
};

}  // namespace penstock::upstream

#pragma once
// One resolution of one DNS source, from its first question to its endpoints.
//
// a      A and AAAA of the name are two questions. A family without records is no failure.
// srv    SRV of the name, then A and AAAA of every target.
// Who answers does not wait for who is silent: what is known `partial_after` the first address is
// reported already, and the look-up ends when nothing more has come for the time of one try.
//
// Owner    DnsWatch. Thread: that of the io_context.
// Limits   ends within two questions' time more than its name's search domains can take, then as a
//          timeout; asks for `hosts_at_once` targets at a time.

#include <compare>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "discovery/dns_walk.hpp"
#include "discovery/services.hpp"
#include "io/alarm.hpp"
#include "upstream/spec.hpp"

namespace penstock::discovery {

// How long an answer may be kept: its TTL within these bounds. The hosts file has the upper one.
inline constexpr base::Duration dns_keep_min = std::chrono::seconds{1};
inline constexpr base::Duration dns_keep_max = std::chrono::seconds{60};

// The question that an address answers: a host as the configuration or an SRV record names it.
struct DnsOrigin {
  std::string host;
  os::DnsType type = os::DnsType::a;
  auto operator<=>(const DnsOrigin&) const = default;
};

struct DnsEndpoint {
  upstream::EndpointSpec spec;
  DnsOrigin origin;
};

struct DnsFound {
  upstream::DnsResult result = upstream::DnsResult::other;
  bool is_final = true;
  std::vector<DnsEndpoint> endpoints;  // by identity, each once
  std::set<DnsOrigin> unanswered;      // of hosts that are still named
  std::vector<std::string> unusable;   // addresses where nobody can be connected to
  std::string name;                    // the whole name that decided
  base::Duration keep = dns_keep_max;
};

class DnsLookup {
 public:
  static constexpr std::size_t hosts_at_once = 8;
  static constexpr base::Duration partial_after = std::chrono::milliseconds{100};

  // `decided` is the whole name that decided the last time, or empty. `report` is called later than
  // this call, the last time with is_final: then it may destroy the look-up.
  DnsLookup(boost::asio::io_context& io, DnsServers& servers, ResolverConfig config,
            upstream::DnsSource source, std::string decided, std::function<void(DnsFound)> report);
  DnsLookup(const DnsLookup&) = delete;
  DnsLookup& operator=(const DnsLookup&) = delete;
  // Nothing is reported any more.
  ~DnsLookup();

 private:
  // A name whose addresses are asked for.
  struct Host {
    std::string name;
    std::vector<std::optional<DnsReply>> answers;  // by types_
    std::unique_ptr<DnsWalk> walk;                 // while it is under way
    bool is_complete() const;
    upstream::DnsResult result() const;
  };

  void add_host(const std::string& name);
  void take_services(DnsWalk::Answer answer);
  void ask_next_hosts();
  void ask(std::size_t host);
  void take_addresses(std::size_t host, DnsWalk::Answer answer);
  void expect_little_more();
  void report_partial();
  void fail(upstream::DnsResult result);
  void finish();
  void end_with(DnsFound found);
  DnsFound found() const;
  void add_endpoints(const Service& service, const Host& host,
                     std::map<std::string, DnsEndpoint>& endpoints,
                     std::set<std::string>& unusable) const;
  // A call that comes to nothing once this object has ended.
  std::function<void()> while_alive(void (DnsLookup::*call)());

  const upstream::DnsSource source_;
  const DnsResolver resolver_;
  const std::string decided_;
  const std::vector<os::DnsType> types_;  // of addresses
  std::function<void(DnsFound)> report_;  // none once it has ended
  std::vector<Service> services_;         // of type a: one, the name itself
  std::vector<Host> hosts_;
  std::map<std::string, std::size_t> host_of_;  // by name, into hosts_
  std::size_t asked_ = 0;                       // hosts
  std::size_t complete_ = 0;
  bool is_known_ = false;  // an address
  bool has_report_due_ = false;
  std::string name_;  // that decided
  base::Duration keep_ = dns_keep_max;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  io::Alarm deadline_;
  io::Alarm patience_;  // with who is silent beside those that answered
  io::Alarm partial_;
  std::unique_ptr<DnsWalk> services_walk_;
};

}  // namespace penstock::discovery

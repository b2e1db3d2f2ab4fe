#pragma once
// Keeps the endpoints of DNS sources up to date.
//
// A source is resolved at once, then again when its answer may not be kept any longer: after
// `refresh`, else after the smallest TTL of the answer, between 1 s and 60 s; counted from when the
// first of it was there. What fails is tried again after 1 s, then after twice as long each time,
// up to 60 s or `refresh`. Who could not connect to an endpoint of it asks sooner, see hurry().
//
// The last good answer stays until there is a better one, or until the name has been gone for
// `nx_hold`: see DnsHistory.
//
// Owner    whoever wires discovery. Thread: that of the io_context, which also makes the reports,
//          never within a call of ours. A report may call forget().
// Limits   one look-up of a source under way; base::endpoints_max endpoints of a source, the first
//          ones by identity.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "logging/severity.hpp"
#include "base/time.hpp"
#include "discovery/discovery.hpp"
#include "discovery/dns_history.hpp"
#include "discovery/dns_servers.hpp"
#include "discovery/resolver_config.hpp"
#include "upstream/dns_result.hpp"
#include "upstream/spec.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::discovery {

// All endpoints of a source, and those that left it now, with the time when each may be forgotten.
struct DnsEndpoints {
  std::vector<upstream::EndpointSpec> now;
  std::map<os::SocketAddress, base::Instant> left;
};

struct DnsReports {
  // Whenever they are others than before; the first time in any case.
  std::function<void(const SourceId&, const DnsEndpoints&)> found;
  // Every resolution.
  std::function<void(const SourceId&, upstream::DnsResult)> resolved;
  // For the log: a source begins to fail, or works again.
  std::function<void(const std::string& sentence, logging::Severity severity)> said;
};

// How long to wait for the next resolution, after so many failures in a row.
base::Duration dns_wait(const upstream::DnsSource& source, base::Duration keep,
                        int failures) noexcept;

class DnsWatch {
 public:
  // `resolver` in the place of /etc/resolv.conf, which is read at each look-up.
  DnsWatch(boost::asio::io_context& io, DnsReports reports,
           std::optional<ResolverConfig> resolver = {});
  DnsWatch(const DnsWatch&) = delete;
  DnsWatch& operator=(const DnsWatch&) = delete;
  ~DnsWatch();

  // From now on; in the place of what the id meant before.
  void watch(const SourceId& id, upstream::DnsSource source);
  void forget(const SourceId& id);
  // What the last answer said seems to be wrong: the sources of the upstream are resolved at once,
  // each at most once a second.
  void hurry(const std::string& upstream);
  std::size_t size() const noexcept { return sources_.size(); }

 private:
  struct Source;
  void resolve(Source& source);
  void take(const SourceId& id, DnsFound found);
  void end(Source& source, const DnsFound& found);
  void wait(Source& source, base::Duration time);
  void tell(Source& source, const DnsFound& found, const DnsHistory::Change& change,
            int failures_before);
  void tell_of_addresses(Source& source, const DnsFound& found, const DnsHistory::Change& change);
  static std::string what_stays(const Source& source, upstream::DnsResult result);

  boost::asio::io_context& io_;
  const DnsReports reports_;
  const std::optional<ResolverConfig> resolver_;
  DnsServers servers_;
  std::map<SourceId, std::shared_ptr<Source>> sources_;
};

}  // namespace penstock::discovery

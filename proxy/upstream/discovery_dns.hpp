#pragma once
// Keeps the endpoints of DNS sources up to date.
//
// A source is resolved at once, then again when its answer may not be kept any longer: after
// `refresh`, else after the smallest TTL of the answer, between 1 s and 60 s. What fails is tried
// again after 1 s, then after twice as long each time, up to 60 s or `refresh`.
//
// The last good answer stays until there is a better one. NXDOMAIN and an answer without records
// keep it, too: a name that is gone is far more often a mistake or a server that restarts than the
// wish that nobody be served.
//
// Owner    whoever wires discovery. Thread: that of the io_context, which also makes the reports,
//          never within a call of ours. A report may call forget().
// Limits   one lookup of a source under way, for at most 10 s; base::endpoints_max endpoints of a
//          source, the first ones by identity.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "upstream/discovery.hpp"
#include "upstream/dns_result.hpp"
#include "upstream/spec.hpp"

namespace boost::asio {
class io_context;
}

namespace penstock::upstream {

struct DnsFound;

struct DnsReports {
  // All endpoints of a source, whenever they are others than before; the first time in any case.
  std::function<void(const SourceId&, const std::vector<EndpointSpec>&)> found;
  // Every resolution.
  std::function<void(const SourceId&, DnsResult)> resolved;
  // For the log: a source begins to fail, or works again.
  std::function<void(const std::string& sentence, base::Severity)> said;
};

// How long to wait for the next resolution, after so many failures in a row.
base::Duration dns_wait(const DnsSource& source, base::Duration keep, int failures) noexcept;

class DnsWatch {
 public:
  // `servers` like "127.0.0.1:53,[::1]:53"; empty: those of /etc/resolv.conf, read at each lookup.
  DnsWatch(boost::asio::io_context& io, DnsReports reports, std::string servers = {});
  DnsWatch(const DnsWatch&) = delete;
  DnsWatch& operator=(const DnsWatch&) = delete;
  ~DnsWatch();

  // From now on; in the place of what the id meant before.
  void watch(const SourceId& id, DnsSource source);
  void forget(const SourceId& id);
  std::size_t size() const noexcept { return sources_.size(); }

 private:
  struct Source;
  void resolve(Source& source);
  void take(const SourceId& id, DnsFound found);
  void tell(Source& source, DnsResult result, int failures_before, std::size_t found_count);
  void wait(Source& source, base::Duration time);

  boost::asio::io_context& io_;
  const DnsReports reports_;
  const std::string servers_;
  std::map<SourceId, std::shared_ptr<Source>> sources_;
};

}  // namespace penstock::upstream

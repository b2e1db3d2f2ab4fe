#pragma once
// Keeps the upstreams true while the proxy runs: what discovery, checks, forwarders, operators and
// time say of the endpoints becomes the next snapshot, a line in the log, and the end of
// connections where the configuration wants that.
//
// Owner    run(). Thread: control.

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "discovery/dns.hpp"
#include "io/alarm.hpp"
#include "logging/log.hpp"
#include "runtime/server.hpp"
#include "session/close_reason.hpp"
#include "upstream/dns_result.hpp"
#include "upstream/registry.hpp"

namespace penstock::control {

class UpstreamControl {
 public:
  UpstreamControl(boost::asio::io_context& io, upstream::Registry& registry,
                  runtime::Server& server, logging::Log& log);
  UpstreamControl(const UpstreamControl&) = delete;
  UpstreamControl& operator=(const UpstreamControl&) = delete;

  // The complete list, as discovery knows it now, and its tables; those in `left` may come back
  // until then.
  void replace_endpoints(upstream::Upstream& upstream,
                         const std::vector<upstream::EndpointSpec>& endpoints,
                         const upstream::Registry::Left& left,
                         std::shared_ptr<const upstream::SlotTables> slots);
  void judge(upstream::LiveRecord& endpoint, upstream::Health health, std::string why);
  // False where there is no such endpoint. `endpoint` is its identity or its address.
  bool set_override(const std::string& upstream, const std::string& endpoint,
                    upstream::Override said);
  // Called with the name of an upstream where what its names resolved to seems to be wrong.
  void set_on_doubt(std::function<void(const std::string&)> on_doubt) {
    on_doubt_ = std::move(on_doubt);
  }
  // One resolution of a source.
  void count(const std::string& upstream, upstream::DnsResult result);
  // By upstream; only those with DNS sources.
  const std::map<std::string, upstream::DnsCounts>& dns_counts() const noexcept {
    return dns_counts_;
  }
  // Does what is due, now.
  void refresh();
  // Within refresh_interval: a thousand endpoints that change their state one by one, as they do at
  // a start or when a network fails, must not cost a thousand layouts.
  void refresh_soon();
  // Where forwarders have found something.
  void refresh_if_stale() {
    if (registry_.is_stale()) refresh_soon();
  }
  static constexpr base::Duration refresh_interval = std::chrono::milliseconds{20};

 private:
  // What new connections of an upstream meet.
  enum class Condition : std::uint8_t { serves, panics, cut_off, nobody };

  static Condition condition_of(const upstream::Cluster& cluster);
  void tell(const std::vector<upstream::LiveRecord*>& changed);
  void tell_speaks_first(const std::vector<upstream::LiveRecord*>& endpoints);
  void tell_reach(const std::vector<upstream::LiveRecord*>& changed);
  void tell_conditions();
  // It went down: its connections stay or end, as its upstream says. Forwarders are told by the
  // next refresh(), of all that leave at once.
  void obey_on_down(upstream::LiveRecord& endpoint);
  void end_connections_of(upstream::LiveRecord& endpoint, upstream::RemovalPolicy removal,
                          session::CloseReason reason);
  void wake_at(base::Instant next);

  upstream::Registry& registry_;
  runtime::Server& server_;
  logging::Log& log_;
  io::Alarm timer_;
  std::vector<session::EndpointRemoval> leaving_;  // of whom forwarders have not been told
  base::Instant wakes_at_ = base::never;
  base::Instant refreshed_{};
  std::vector<Condition> conditions_;  // by upstream, as they were told
  std::map<std::string, upstream::DnsCounts> dns_counts_;
  std::function<void(const std::string&)> on_doubt_;
};

}  // namespace penstock::control

#pragma once
// Where the endpoints of upstreams and their health come from while the proxy runs: DNS, files,
// active checks. Everything ends in UpstreamControl.
//
// Owner    run(). Thread: control. Ends with the io_context's thread: nothing is reported after it,
//          and UpstreamControl refreshes no more.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/sockets.hpp"
#include "control/upstreams/endpoint_file_watch.hpp"
#include "control/upstreams/manager.hpp"
#include "control/upstreams/table_maker.hpp"
#include "discovery/discovery.hpp"
#include "discovery/dns.hpp"
#include "health/watch.hpp"

namespace penstock::control {

class UpstreamFeeds {
 public:
  // None of our own `listeners` becomes an endpoint. At most `checks_at_once` health checks are
  // under way. `on_thread_start` runs on the threads that read files of endpoints and make tables.
  UpstreamFeeds(boost::asio::io_context& io, upstream::Registry& registry,
                const std::vector<runtime::ListenerSpec>& listeners, UpstreamControl& upstreams,
                logging::Log& log, std::size_t checks_at_once,
                std::function<void()> on_thread_start);
  UpstreamFeeds(const UpstreamFeeds&) = delete;
  UpstreamFeeds& operator=(const UpstreamFeeds&) = delete;

  // Runs the io_context until every source has answered or failed once, but no longer than
  // `patience` and not where `is_pointless`, so that the first connection finds endpoints. Before
  // anything is accepted.
  void await_first_answers(base::Duration patience, const std::function<bool()>& is_pointless);

 private:
  void found(const discovery::SourceId& id, const std::vector<upstream::EndpointSpec>& endpoints,
             const upstream::Registry::Left& left = {});
  void take_list(upstream::Upstream& upstream);
  void resolved(const discovery::SourceId& id, upstream::DnsResult result);
  void judged(upstream::LiveRecord& endpoint, upstream::Health health, const std::string& why);
  void answered(const discovery::SourceId& id);
  std::vector<upstream::EndpointSpec> without_loops(
      const std::string& upstream, const std::vector<upstream::EndpointSpec>& endpoints);
  void check(const upstream::Upstream& upstream);

  // What was found and no snapshot has yet. While tables are made for one list, what comes is
  // gathered for the next.
  struct News {
    std::set<discovery::SourceId> sources;
    upstream::Registry::Left left;  // of all of them
  };
  struct Pending {
    News next;
    std::set<discovery::SourceId> under_way;  // whose tables are being made
  };

  boost::asio::io_context& io_;
  upstream::Registry& registry_;
  UpstreamControl& upstreams_;
  logging::Log& log_;
  const config::OwnSockets looping_;
  std::map<std::string, discovery::EndpointSources> lists_;  // by upstream
  std::map<std::string, Pending> pending_;                   // by upstream
  std::set<discovery::SourceId> unanswered_;
  std::set<std::string> loops_told_;
  health::HealthWatch health_;
  discovery::DnsWatch dns_;
  EndpointFileWatch files_;
  TableMaker tables_;
};

}  // namespace penstock::control

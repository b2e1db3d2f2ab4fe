#pragma once
// The running proxy as the admin pages see it.
//
// Owner    run(). Thread: control.

#include <boost/json/fwd.hpp>

#include "admin/api.hpp"
#include "budget/report.hpp"
#include "config/config.hpp"
#include "control/lifecycle.hpp"
#include "os/process.hpp"
#include "report/wall_clock.hpp"

namespace penstock::control {

// What the start worked out.
struct StartFacts {
  budget::Budget budget;
  config::EffectiveConfig config;
};

class ServerView final : public admin::AdminView {
 public:
  ServerView(const upstream::Registry& registry, runtime::Server& server,
             const ForwarderWatch& watch, const report::AccessLog& access_log,
             UpstreamControl& upstreams, Lifecycle& lifecycle, StartFacts facts);

  std::string unhealthy_because() override;
  std::string not_ready_because() override;
  base::PagePieces page(admin::PageName name) override;
  admin::Explained explain(const admin::ExplainQuestion& question) override;
  void drain() override;
  void at_end_of_drain(std::function<void(const admin::DrainEnd&)> told) override;
  bool set_override(const std::string& upstream, const std::string& endpoint,
                    upstream::Override said) override;

 private:
  base::PagePieces metrics();
  base::PagePieces listeners();
  base::PagePieces upstreams();
  boost::json::value status();
  boost::json::value numa();
  boost::json::value budget();
  boost::json::object listener_json(std::size_t index) const;
  boost::json::array addresses_of(std::size_t listener) const;
  boost::json::array listeners_in_short() const;
  boost::json::array forwarders() const;
  budget::BudgetUse budget_used(const os::ProcessUsage& process) const;

  const upstream::Registry& registry_;
  runtime::Server& server_;
  const ForwarderWatch& watch_;
  const report::AccessLog& access_log_;
  UpstreamControl& upstreams_;
  Lifecycle& lifecycle_;
  const StartFacts facts_;
  const base::Instant started_;
  const double started_wall_seconds_;
  report::WallClock clock_;
};

}  // namespace penstock::control

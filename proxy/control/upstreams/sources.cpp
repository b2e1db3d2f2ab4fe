#include "control/upstreams/sources.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "control/upstreams/loops.hpp"
#include "io/work.hpp"
#include "os/clock.hpp"
#include "runtime/options.hpp"
#include "upstream/live_record.hpp"
#include "upstream/registry.hpp"

namespace penstock::control {

namespace {

void write(logging::Log& log, const std::string& sentence, logging::Severity severity) {
  if (severity >= logging::Severity::warning) return log.warning(sentence);
  log.info(sentence);
}

bool has_discovery(const std::vector<upstream::EndpointSource>& sources) {
  return std::any_of(sources.begin(), sources.end(), [](const upstream::EndpointSource& source) {
    return !std::holds_alternative<upstream::EndpointSpec>(source);
  });
}

}  // namespace

UpstreamFeeds::UpstreamFeeds(boost::asio::io_context& io, upstream::Registry& registry,
                             const std::vector<runtime::ListenerSpec>& listeners,
                             UpstreamControl& upstreams, logging::Log& log,
                             std::size_t checks_at_once, std::function<void()> on_thread_start)
    : io_{io},
      registry_{registry},
      upstreams_{upstreams},
      log_{log},
      looping_{looping_sockets(listeners)},
      health_{io,
              {.checked =
                   [](upstream::LiveRecord& endpoint, upstream::CheckResult result) {
                     ++endpoint.control.checks[static_cast<std::size_t>(result)];
                   },
               .judged = [this](upstream::LiveRecord& endpoint, upstream::Health health,
                                const std::string& why) { judged(endpoint, health, why); }},
              static_cast<std::uint64_t>(os::wall_clock_nanoseconds()),
              std::max<std::size_t>(checks_at_once, 1)},
      dns_{io,
           {.found = [this](const auto& id, const auto& all) { found(id, all.now, all.left); },
            .resolved = [this](const auto& id, auto result) { resolved(id, result); },
            .said = [&log](const auto& text, auto severity) { write(log, text, severity); }}},
      files_{io,
             {.found = [this](const auto& id, const auto& endpoints) { found(id, endpoints); },
              .said = [&log](const auto& text, auto severity) { write(log, text, severity); }},
             on_thread_start},
      tables_{io, on_thread_start} {
  upstreams.set_on_doubt([this](const std::string& upstream) { dns_.hurry(upstream); });
  for (const auto& upstream : registry.upstreams()) {
    const auto& sources = upstream->spec().sources;
    lists_.emplace(upstream->name(), sources);
    // A list that is short now may grow long.
    if (upstream->spec().balance == upstream::Balance::maglev && has_discovery(sources))
      tables_.start();
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const discovery::SourceId id{.upstream = upstream->name(), .index = i};
      if (const auto* dns = std::get_if<upstream::DnsSource>(&sources[i])) {
        unanswered_.insert(id);
        dns_.watch(id, *dns);
      }
      if (const auto* file = std::get_if<upstream::FileSource>(&sources[i])) {
        unanswered_.insert(id);
        files_.watch(id, *file);
      }
    }
    check(*upstream);
  }
}

// A failed check is a reason to ask again, as a failed connection is.
void UpstreamFeeds::judged(upstream::LiveRecord& endpoint, upstream::Health health,
                           const std::string& why) {
  if (health != upstream::Health::up) dns_.hurry(endpoint.upstream);
  upstreams_.judge(endpoint, health, why);
}

void UpstreamFeeds::await_first_answers(base::Duration patience,
                                        const std::function<bool()>& is_pointless) {
  const base::Instant deadline = os::now() + patience;
  while (!unanswered_.empty() && os::now() < deadline && !is_pointless())
    io::run_one_call(io_, std::chrono::milliseconds{100});
  for (const discovery::SourceId& id : unanswered_)
    log_.warning(
        fmt::format("upstream {} starts without the endpoints of its source {}: it has "
                    "not answered yet",
                    id.upstream, id.index + 1));
  unanswered_.clear();
}

void UpstreamFeeds::answered(const discovery::SourceId& id) {
  unanswered_.erase(id);
}

void UpstreamFeeds::found(const discovery::SourceId& id,
                          const std::vector<upstream::EndpointSpec>& endpoints,
                          const upstream::Registry::Left& left) {
  discovery::EndpointSources& list = lists_.at(id.upstream);
  if (!list.set(id.index, without_loops(id.upstream, endpoints))) return answered(id);
  if (list.left_out() > 0)
    log_.warning(fmt::format("upstream {} has more than {} endpoints: {} are left out", id.upstream,
                             base::endpoints_max, list.left_out()));
  Pending& pending = pending_[id.upstream];
  pending.next.sources.insert(id);
  for (const auto& [address, until] : left) pending.next.left.insert_or_assign(address, until);
  if (pending.under_way.empty()) take_list(*registry_.find(id.upstream));
}

// As it is now, with everything that was found since the last one.
void UpstreamFeeds::take_list(upstream::Upstream& upstream) {
  Pending& pending = pending_[upstream.name()];
  News news = std::exchange(pending.next, {});
  pending.under_way = std::move(news.sources);
  const auto list = std::make_shared<const std::vector<upstream::EndpointSpec>>(
      lists_.at(upstream.name()).endpoints());
  tables_.make(upstream.spec().balance, *list,
               [this, &upstream, &pending, list, left = std::move(news.left)](auto slots) {
                 upstreams_.replace_endpoints(upstream, *list, left, std::move(slots));
                 check(upstream);
                 for (const auto& id : std::exchange(pending.under_way, {})) answered(id);
                 if (!pending.next.sources.empty()) take_list(upstream);
               });
}

void UpstreamFeeds::resolved(const discovery::SourceId& id, upstream::DnsResult result) {
  upstreams_.count(id.upstream, result);
  const Pending& pending = pending_[id.upstream];
  if (!pending.under_way.contains(id) && !pending.next.sources.contains(id)) answered(id);
}

std::vector<upstream::EndpointSpec> UpstreamFeeds::without_loops(
    const std::string& upstream, const std::vector<upstream::EndpointSpec>& endpoints) {
  std::vector<upstream::EndpointSpec> good;
  for (const upstream::EndpointSpec& endpoint : endpoints) {
    const config::OwnSocket* listener = looping_.reached_by(endpoint.address);
    if (listener == nullptr) {
      good.push_back(endpoint);
      continue;
    }
    const std::string sentence =
        fmt::format("upstream {}: {} is left out, for it is listener {} of this proxy: a loop",
                    upstream, endpoint.address.to_string(), listener->owner);
    if (loops_told_.insert(sentence).second) log_.warning(sentence);
  }
  return good;
}

void UpstreamFeeds::check(const upstream::Upstream& upstream) {
  std::vector<upstream::LiveRecord*> endpoints;
  for (const auto& endpoint : upstream.cluster().endpoints()) endpoints.push_back(endpoint.live);
  health_.follow(upstream.name(), upstream.spec().health_check, endpoints);
}

}  // namespace penstock::control

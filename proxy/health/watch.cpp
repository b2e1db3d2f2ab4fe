#include "health/watch.hpp"

#include <algorithm>
#include <utility>

#include "base/time.hpp"
#include "health/target.hpp"

namespace penstock::health {

namespace {

using Pointers = std::vector<std::shared_ptr<HealthTarget>>;

void spread_starts(const Pointers& targets, base::Duration interval) {
  if (targets.empty()) return;
  const auto count = static_cast<base::Duration::rep>(targets.size());
  const base::Duration gap = std::min(base::health_start_gap, interval / count);
  base::Duration delay{0};
  for (const auto& target : targets) {
    target->start_after(delay);
    delay += gap;
  }
}

}  // namespace

HealthWatch::HealthWatch(boost::asio::io_context& io, HealthReports reports, std::uint64_t seed,
                         std::size_t at_once)
    : io_{io}, shared_{std::make_shared<HealthShared>(std::move(reports), seed, at_once)} {}

HealthWatch::~HealthWatch() {
  for (auto& [upstream, targets] : followed_)
    for (auto& [record, target] : targets) target->stop();
  shared_->line.clear();
}

void HealthWatch::follow(const std::string& upstream,
                         const std::optional<upstream::HealthSpec>& spec,
                         const std::vector<upstream::LiveRecord*>& endpoints) {
  Targets gone = std::move(followed_[upstream]);
  Targets staying;
  if (spec) staying = targets_for(*spec, endpoints, gone);
  for (auto& [record, target] : gone) target->stop();
  if (staying.empty())
    followed_.erase(upstream);
  else
    followed_[upstream] = std::move(staying);
}

HealthWatch::Targets HealthWatch::targets_for(const upstream::HealthSpec& spec,
                                              const std::vector<upstream::LiveRecord*>& endpoints,
                                              Targets& known) {
  const auto shared_spec = std::make_shared<const upstream::HealthSpec>(spec);
  Targets targets;
  Pointers fresh;
  Pointers to_start;
  for (upstream::LiveRecord* const record : endpoints) {
    auto& target = targets[record];
    if (target) continue;  // named twice
    if (const auto found = known.find(record); found != known.end()) {
      target = std::move(found->second);
      known.erase(found);
      if (target->spec() == spec) continue;
      target->change(shared_spec);
    } else {
      target = std::make_shared<HealthTarget>(*record, shared_spec, io_);
      fresh.push_back(target);
    }
    to_start.push_back(target);
  }
  spread_starts(to_start, spec.interval);
  for (const auto& target : fresh) HealthTarget::run(io_, target, shared_);
  return targets;
}

}  // namespace penstock::health

#include "upstream/registry.hpp"

namespace penstock::upstream {

Registry::Registry(const std::vector<ClusterSpec>& specs) {
  for (const ClusterSpec& spec : specs) {
    std::vector<LiveRecord*> live;
    for (const EndpointSpec& endpoint : spec.endpoints)
      live.push_back(record_for(spec.name, endpoint));
    clusters_.push_back(std::make_shared<const Cluster>(
        spec, std::move(live), std::make_shared<std::atomic<std::uint64_t>>(0)));
  }
}

std::shared_ptr<const Cluster> Registry::find(const std::string& name) const noexcept {
  for (const auto& cluster : clusters_)
    if (cluster->name() == name) return cluster;
  return nullptr;
}

LiveRecord* Registry::record_for(const std::string& upstream, const EndpointSpec& endpoint) {
  LiveRecord*& record = by_identity_[{upstream, endpoint.identity}];
  if (record == nullptr)
    record = &records_.emplace_back(upstream, endpoint.identity, endpoint.address);
  return record;
}

}  // namespace penstock::upstream

#pragma once
// All upstreams of a server: builds the snapshots and owns the live records.
//
// Owner    the server. Thread: the control thread builds; forwarders read snapshots.

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "upstream/cluster.hpp"

namespace penstock::upstream {

class Registry {
 public:
  explicit Registry(const std::vector<ClusterSpec>& specs);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // nullptr where there is no upstream of that name.
  std::shared_ptr<const Cluster> find(const std::string& name) const noexcept;
  // In the order of the configuration.
  const std::vector<std::shared_ptr<const Cluster>>& clusters() const noexcept { return clusters_; }

 private:
  LiveRecord* record_for(const std::string& upstream, const EndpointSpec& endpoint);

  std::deque<LiveRecord> records_;  // a deque: addresses stay
  std::map<std::pair<std::string, std::string>, LiveRecord*> by_identity_;
  std::vector<std::shared_ptr<const Cluster>> clusters_;
};

}  // namespace penstock::upstream

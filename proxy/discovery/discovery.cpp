#include "discovery/discovery.hpp"

#include <map>
#include <set>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "os/address.hpp"

namespace penstock::discovery {

EndpointSources::EndpointSources(const std::vector<upstream::EndpointSource>& sources) {
  for (const upstream::EndpointSource& source : sources) {
    const auto* endpoint = std::get_if<upstream::EndpointSpec>(&source);
    Source& added = sources_.emplace_back();
    added.is_static = endpoint != nullptr;
    if (endpoint != nullptr) added.endpoints.push_back(*endpoint);
  }
  merge();
}

bool EndpointSources::set(std::size_t index, std::vector<upstream::EndpointSpec> found) {
  PENSTOCK_ASSERT(index < sources_.size() && !sources_[index].is_static);
  sources_[index].endpoints = std::move(found);
  const std::vector<upstream::EndpointSpec> before = merged_;
  merge();
  return merged_ != before;
}

void EndpointSources::merge() {
  merged_.clear();
  left_out_ = 0;
  std::set<std::string> identities;
  std::map<os::SocketAddress, const Source*> addresses;  // who gave each one first
  for (const Source& source : sources_) {
    for (const upstream::EndpointSpec& endpoint : source.endpoints) {
      if (identities.contains(endpoint.identity)) continue;
      const auto given = addresses.find(endpoint.address);
      if (given != addresses.end() && given->second != &source &&
          !(given->second->is_static && source.is_static))
        continue;
      if (merged_.size() == base::endpoints_max) {
        ++left_out_;
        continue;
      }
      identities.insert(endpoint.identity);
      addresses.emplace(endpoint.address, &source);
      merged_.push_back(endpoint);
    }
  }
}

}  // namespace penstock::discovery

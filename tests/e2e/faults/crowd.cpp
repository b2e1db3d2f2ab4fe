#include "e2e/faults/crowd.hpp"

namespace penstock::e2e {

Crowd::Crowd(const std::function<Peer()>& connect, Origin& origin, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Peer client = connect();
    couples_.push_back({std::move(client), origin.accept()});
  }
}

std::vector<Flow> Crowd::flows(Way way, FlowOptions options) {
  std::vector<Flow> flows;
  for (auto& [client, upstream] : couples_) {
    if (way == Way::to_upstream)
      flows.emplace_back(client, upstream, options);
    else
      flows.emplace_back(upstream, client, options);
    ++options.seed;
  }
  return flows;
}

std::vector<Flow> both_ways(Crowd& crowd, FlowOptions options) {
  auto flows = crowd.flows(Way::to_upstream, options);
  options.seed = ~options.seed;
  for (Flow& flow : crowd.flows(Way::to_client, options)) flows.push_back(std::move(flow));
  return flows;
}

}  // namespace penstock::e2e

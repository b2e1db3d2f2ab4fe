#include "report/metrics/metrics.hpp"

#include <algorithm>
#include <set>

#include "report/metrics/parts.hpp"
#include "report/numa/report.hpp"
#include "runtime/server.hpp"
#include "runtime/views.hpp"
#include "session/listener.hpp"
#include "upstream/registry.hpp"

namespace penstock::report {

namespace {

// Where there is a sum of the rest, one that is called as the sum is goes into it.
void make_room_for_sum(std::vector<MetricsInput::Endpoint>& endpoints) {
  if (endpoints.size() <= MetricsInput::endpoint_series_max) return;
  std::stable_partition(endpoints.begin(), endpoints.end(), [](const auto& endpoint) {
    return endpoint.live->identity != MetricsInput::other_endpoints;
  });
}

// A series appears once: one that left gives way to one of the same name that is here.
MetricsInput::Upstream upstream_input(const upstream::Upstream& upstream,
                                      const std::vector<const upstream::LiveRecord*>& leaving) {
  MetricsInput::Upstream input{.name = upstream.name(),
                               .queue_length = upstream.queue().length(),
                               .is_checked = upstream.spec().health_check.has_value(),
                               .endpoints = {}};
  const upstream::Cluster& cluster = upstream.cluster();
  input.endpoints.reserve(cluster.endpoints().size());
  for (std::size_t i = 0; i < cluster.endpoints().size(); ++i) {
    const upstream::Standing standing = cluster.layout().standing[i];
    input.endpoints.push_back({.live = cluster.endpoints()[i].live,
                               .is_up = standing == upstream::Standing::takes ||
                                        standing == upstream::Standing::takes_retries});
  }
  if (!leaving.empty()) {
    std::set<std::string_view> named;
    for (const auto& endpoint : input.endpoints) named.insert(endpoint.live->identity);
    for (const upstream::LiveRecord* left : leaving)
      if (named.insert(left->identity).second) input.endpoints.push_back({.live = left});
  }
  make_room_for_sum(input.endpoints);
  return input;
}

}  // namespace

MetricsInput metrics_input(const runtime::Server& server, const upstream::Registry& registry) {
  MetricsInput input;
  for (const auto& listener : server.listeners())
    input.listeners.push_back({.name = listener->options.name,
                               .active = listener->active.load(std::memory_order_relaxed),
                               .site = listener->site.get()});
  input.forwarders = server.forwarders();
  const std::vector<runtime::ThreadView> threads = server.threads();
  input.numa_local_ratio = numa_local_ratio(threads);
  input.numa_refusals = numa_refusals(threads);
  const auto leaving = registry.leaving();
  for (const auto& upstream : registry.upstreams())
    input.upstreams.push_back(upstream_input(*upstream, leaving[upstream->index()]));
  return input;
}

base::PagePieces metrics_pieces(MetricsInput taken) {
  const auto page = std::make_shared<MetricsPage>(std::move(taken));
  base::PagePieces pieces;
  add_connection_metrics(page, pieces);
  add_upstream_metrics(page, pieces);
  pieces.push_back([page](std::string& text) {
    const SessionTotals sessions = session_totals(page->input.forwarders);
    add_kernel_metrics(page->input, sessions, text);
    add_relay_metrics(page->input, sessions, text);
    add_file_metrics(page->input, text);
    add_process_metrics(page->input, sessions, text);
  });
  return pieces;
}

std::string metrics_text(const MetricsInput& input) {
  return base::text_of(metrics_pieces(input));
}

}  // namespace penstock::report

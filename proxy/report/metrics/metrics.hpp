#pragma once
// The numbers of a running server under their names: Prometheus text.
//
// The names, labels and buckets are a promise (docs/OPERATIONS.md). Every series exists from the
// start, so that a rate over the first event is right. No client address is ever a label.
//
// Thread   control. The numbers are one-writer counters and may be a moment apart from each other.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/page_pieces.hpp"
#include "os/process.hpp"
#include "report/numa/refusals.hpp"
#include "runtime/views.hpp"
#include "upstream/dns_result.hpp"

namespace penstock::files {
class Site;
}
namespace penstock::runtime {
class Server;
}
namespace penstock::upstream {
class Registry;
struct LiveRecord;
}  // namespace penstock::upstream

namespace penstock::report {

struct MetricsInput {
  struct Listener {
    std::string name;
    std::size_t active = 0;
    const files::Site* site = nullptr;  // where it serves files
  };
  std::vector<Listener> listeners;  // in the order of the counters
  std::vector<runtime::ForwarderView> forwarders;
  std::optional<double> numa_local_ratio{};
  NumaRefusals numa_refusals{};
  std::vector<double> busy_ratios;  // by forwarder, over the last second
  struct Endpoint {
    const upstream::LiveRecord* live = nullptr;
    bool is_up = false;  // gets new connections, or would if others failed
  };
  struct Upstream {
    std::string name;
    std::size_t queue_length = 0;
    bool is_checked = false;
    // Also those that left and still have connections. The first endpoint_series_max have series of
    // their own, the rest is one, whose values are sums: `other_endpoints`.
    std::vector<Endpoint> endpoints;
  };
  static constexpr std::size_t endpoint_series_max = 1000;
  static constexpr std::string_view other_endpoints = "other";
  std::vector<Upstream> upstreams;  // in the order of the counters
  // By upstream and upstream::DnsResult; only those with DNS sources.
  std::map<std::string, upstream::DnsCounts> dns;
  std::uint64_t control_blocked = 0;  // calls of control's loop that took too long
  std::string config_hash{};          // see config/effective.hpp
  // The share of each resource that is used; see budget/report.hpp.
  std::vector<std::pair<std::string_view, double>> budget_used;
  std::uint64_t log_lines_dropped = 0;  // by the log's own queue and target
  os::ProcessUsage process;
  std::uint64_t descriptor_limit = 0;
  double start_seconds = 0;  // since 1970
};

// Everything that the server itself knows; busy ratios, DNS, log and process are left to the
// caller.
MetricsInput metrics_input(const runtime::Server& server, const upstream::Registry& registry);

// What it points at is looked at when a piece is called.
base::PagePieces metrics_pieces(MetricsInput taken);
std::string metrics_text(const MetricsInput& input);

}  // namespace penstock::report

#pragma once
// The machine, the plan for it and, of a running proxy, where its threads really are: as JSON.
// Pure.

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "os/network_device.hpp"
#include "os/topology.hpp"
#include "runtime/views.hpp"

namespace penstock::report {

struct NumaReport {
  const os::NumaTopology& topology;
  const std::vector<os::NetworkDevice>& devices;
  const std::vector<std::string>& decisions;
  const std::vector<runtime::ThreadView>& threads;
  bool is_running = false;  // then what was seen of the threads is shown as well
};
boost::json::object numa_json(const NumaReport& report);

// The share of the sampled connections whose packets came in on their forwarder's node. Empty where
// none was sampled yet.
std::optional<double> numa_local_ratio(const std::vector<runtime::ThreadView>& threads);

}  // namespace penstock::report

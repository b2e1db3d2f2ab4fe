#include "cli/numa.hpp"

#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "base/exit_codes.hpp"
#include "config/config.hpp"
#include "os/network_device.hpp"
#include "os/topology.hpp"
#include "report/numa/report.hpp"
#include "report/numa/text.hpp"
#include "runtime/devices.hpp"
#include "runtime/placement.hpp"

namespace penstock::cli {

namespace {

std::vector<runtime::ThreadView> views_of(const runtime::Placement& placement) {
  std::vector<runtime::ThreadView> threads;
  const auto add = [&](const char* kind, const std::vector<runtime::ThreadPlan>& plans) {
    for (std::size_t i = 0; i < plans.size(); ++i)
      threads.push_back({.name = fmt::format("{}-{}", kind, i), .plan = plans[i], .seen = {}});
  };
  add("acceptor", placement.acceptors);
  add("forwarder", placement.forwarders);
  return threads;
}

int show(const NumaCommand& command, const runtime::Options& options,
         const std::vector<os::NetworkDevice>& devices) {
  const os::NumaTopology topology = os::numa_topology();
  const auto planned = runtime::plan_placement(options, topology, devices);
  const runtime::Placement placement = planned ? *planned : runtime::Placement{};
  const auto numa = report::numa_json({.topology = topology,
                                       .devices = devices,
                                       .decisions = placement.decisions,
                                       .threads = views_of(placement)});
  std::cout << (command.json ? boost::json::serialize(numa) + '\n' : report::numa_text(numa));
  if (planned) return base::success;
  std::cerr << "penstock numa: " << planned.error() << '\n';
  return base::failure;
}

}  // namespace

int numa(const NumaCommand& command) {
  if (command.file.empty()) return show(command, {}, os::network_devices());
  const config::LoadedConfig loaded = config::load_config(command.file);
  std::cerr << config::faults_text(loaded.faults);
  if (!loaded.config) return base::misuse;
  const runtime::ServerSpec& spec = loaded.config->server;
  std::vector<std::vector<os::SocketAddress>> addresses;
  for (const auto& listener : spec.listeners) addresses.push_back(listener.addresses);
  return show(command, spec.runtime, runtime::devices_at(addresses));
}

}  // namespace penstock::cli

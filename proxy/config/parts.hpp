#pragma once
// The readers of the parts of a configuration, and what they hand to the checks between parts.

#include <optional>
#include <string>
#include <vector>

#include "config/addresses.hpp"
#include "config/yaml/reader.hpp"

namespace penstock::config {

// An address and where it was written.
struct ReadAddress {
  os::SocketAddress address;
  YamlPlace place;
};

struct ReadListener {
  runtime::ListenerSpec spec;
  std::optional<YamlPlace> name;  // empty: named by its bind
  std::optional<YamlPlace> upstream;
  std::vector<ReadAddress> binds;
};

struct ReadUpstream {
  upstream::ClusterSpec spec;
  std::vector<ReadAddress> endpoints;  // the static ones
};

struct ReadAdmin {
  admin::AdminBind admin;
  std::optional<YamlPlace> bind;
};

// What `defaults` states and a listener may override.
struct ConnectionDefaults {
  session::Timeouts timeouts;
  os::SocketOptions socket;
};

// Every key of `defaults`, which are also keys of a listener.
void read_defaults(MapReader& reader, ConnectionDefaults& target);

ReadListener read_listener(ConfigReading& reading, const YamlPlace& place,
                           const ConnectionDefaults& defaults);
// Every key of an upstream that says how to choose among its endpoints.
void read_balancing(MapReader& reader, upstream::ClusterSpec& target);
ReadUpstream read_upstream(ConfigReading& reading, const std::string& name, const YamlPlace& place);
void read_health_check(ConfigReading& reading, const YamlPlace& place,
                       upstream::HealthSpec& target);
void read_relay(ConfigReading& reading, const YamlPlace& place, Config& config);
void read_runtime(ConfigReading& reading, const YamlPlace& place, runtime::Options& target);
// One map or a list.
std::vector<ReadAdmin> read_admin(ConfigReading& reading, const YamlPlace& place);
void read_log(ConfigReading& reading, const YamlPlace& place, report::LogOptions& target);

// Everything that one part cannot know by itself: names, addresses bound twice, loops.
void check_parts(ConfigReading& reading, const std::vector<ReadListener>& listeners,
                 const std::vector<ReadUpstream>& upstreams, const std::vector<ReadAdmin>& admin);

}  // namespace penstock::config

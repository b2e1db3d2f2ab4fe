#pragma once
// What a Server is made from. Control works all of this out; nothing here knows YAML.

#include <cstddef>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "base/time.hpp"
#include "os/address.hpp"
#include "relay/options.hpp"
#include "session/options.hpp"
#include "upstream/spec.hpp"

namespace penstock::runtime {

enum class Pin : std::uint8_t { node, cpu, off };
inline constexpr base::EnumNames<Pin, 3> pin_names{{"node", "cpu", "off"}};
static_assert(pin_names[Pin::off] == "off");

enum class NumaMode : std::uint8_t { automatic, off };
inline constexpr base::EnumNames<NumaMode, 2> numa_mode_names{{"auto", "off"}};
static_assert(numa_mode_names[NumaMode::off] == "off");

struct DrainOptions {
  base::Duration grace{0};                            // not ready, still accepting
  base::Duration timeout = std::chrono::seconds{30};  // then what is left is reset
};

struct ListenerSpec {
  session::ListenerOptions session;
  std::vector<os::SocketAddress> addresses;
  os::ListenOptions listen;
};

struct Options {
  std::size_t forwarders = 0;  // 0 = auto: min(CPUs in the cpuset, ceil(CPU quota))
  NumaMode numa = NumaMode::automatic;
  Pin pin = Pin::node;
  base::Duration spin{0};           // a forwarder polls so long before it sleeps
  std::size_t max_connections = 0;  // 0 = auto: from the descriptor limit
  DrainOptions drain;
};

struct ServerSpec {
  std::vector<ListenerSpec> listeners;
  std::vector<upstream::ClusterSpec> upstreams;
  relay::Options relay;
  Options runtime;
};

}  // namespace penstock::runtime

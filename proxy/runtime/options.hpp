#pragma once
// What a Server is made from. Control works all of this out; nothing here knows YAML.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "base/time.hpp"
#include "os/address.hpp"
#include "os/socket.hpp"
#include "relay/options.hpp"
#include "session/options.hpp"
#include "upstream/spec.hpp"

namespace penstock::runtime {

enum class Pin : std::uint8_t { node, cpu, off };
inline constexpr base::EnumNames<Pin, 3> pin_names{{"node", "cpu", "off"}};
static_assert(pin_names[Pin::off] == "off");

// strict: memory is bound to nodes, and where that cannot be had nothing starts.
enum class NumaMode : std::uint8_t { automatic, off, strict };
inline constexpr base::EnumNames<NumaMode, 3> numa_mode_names{{"auto", "off", "strict"}};
static_assert(numa_mode_names[NumaMode::strict] == "strict");

// seccomp and Landlock. automatic: what can be had; what is refused fails. strict: all of it or no
// start, and what is refused ends the process.
enum class SandboxMode : std::uint8_t { automatic, off, strict };
inline constexpr base::EnumNames<SandboxMode, 3> sandbox_mode_names{{"auto", "off", "strict"}};
static_assert(sandbox_mode_names[SandboxMode::strict] == "strict");

struct DrainOptions {
  base::Duration grace{0};                            // not ready, still accepting
  base::Duration timeout = std::chrono::seconds{30};  // then what is left is reset
  bool operator==(const DrainOptions&) const = default;
};

struct ListenerSpec {
  session::ListenerOptions session;
  std::vector<os::SocketAddress> addresses;
  os::ListenOptions listen;
  bool operator==(const ListenerSpec&) const = default;
};

struct Options {
  std::size_t forwarders = 0;  // 0 = auto: min(CPUs in the cpuset, ceil(CPU quota))
  std::map<int, std::size_t> forwarders_by_node{};  // in place of a number, where it is not empty
  std::size_t acceptors = 0;                        // 0 = auto: one for each node with forwarders
  NumaMode numa = NumaMode::automatic;
  Pin pin = Pin::node;
  std::optional<base::Duration> spin{0};  // a forwarder polls so long before it sleeps; none = auto
  std::size_t max_connections = 0;        // 0 = auto: from the descriptor limit
  DrainOptions drain;
  std::string user{};   // whom to become after binding: a name or number; empty = who we are
  std::string group{};  // likewise
  SandboxMode sandbox = SandboxMode::automatic;
  bool operator==(const Options&) const = default;
};

struct ServerSpec {
  std::vector<ListenerSpec> listeners;
  std::vector<upstream::ClusterSpec> upstreams;
  relay::Options relay;
  Options runtime;
  bool operator==(const ServerSpec&) const = default;
};

}  // namespace penstock::runtime

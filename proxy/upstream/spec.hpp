#pragma once
// An upstream as the configuration states it, after names were resolved.

#include <cstdint>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "base/time.hpp"
#include "os/address.hpp"

namespace penstock::upstream {

enum class Balance : std::uint8_t { round_robin, least_connections };
inline constexpr base::EnumNames<Balance, 2> balance_names{{"round_robin", "least_connections"}};
static_assert(balance_names[Balance::least_connections] == "least_connections");

struct EndpointSpec {
  std::string identity;  // `name`, else the canonical address
  os::SocketAddress address;
  std::uint32_t weight = 1;  // 0: no new connections
  bool operator==(const EndpointSpec&) const = default;
};

struct ConnectOptions {
  base::Duration timeout = std::chrono::seconds{2};  // per attempt
  int attempts = 3;  // each takes another endpoint where there is one
};

struct ClusterSpec {
  std::string name;
  Balance balance = Balance::round_robin;
  std::vector<EndpointSpec> endpoints;
  ConnectOptions connect;
};

}  // namespace penstock::upstream

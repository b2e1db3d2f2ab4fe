#pragma once
// An upstream as the configuration states it.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/enum_names.hpp"
#include "base/time.hpp"
#include "os/address.hpp"
#include "upstream/health_spec.hpp"

namespace penstock::upstream {

enum class Balance : std::uint8_t {
  round_robin,        // smooth weighted, one turn shared by all forwarders
  least_connections,  // the fewest per weight
  random_two,         // the less loaded of two drawn by weight
  source_hash,        // one slot of a table by the client's address
  maglev,             // likewise, and a change of the endpoints moves few clients
  first,              // the first one that has a free place
  peak_ewma,          // the quicker of two drawn by weight
};
inline constexpr base::EnumNames<Balance, 7> balance_names{{"round_robin", "least_connections",
                                                            "random_two", "source_hash", "maglev",
                                                            "first", "peak_ewma"}};
static_assert(balance_names[Balance::peak_ewma] == "peak_ewma");

enum class HashKey : std::uint8_t { source, source_port };
inline constexpr base::EnumNames<HashKey, 2> hash_key_names{{"source", "source_port"}};
static_assert(hash_key_names[HashKey::source_port] == "source_port");

// What becomes of the connections of an endpoint that went away.
enum class RemovalPolicy : std::uint8_t { keep, drain, close };
inline constexpr base::EnumNames<RemovalPolicy, 3> removal_policy_names{{"keep", "drain", "close"}};
static_assert(removal_policy_names[RemovalPolicy::close] == "close");

struct EndpointSpec {
  std::string identity;  // `name`, else the canonical address
  os::SocketAddress address;
  std::uint32_t weight = 1;           // 0: no new connections
  std::uint8_t priority = 0;          // 0 is preferred; a backup is 1
  std::uint32_t max_connections = 0;  // 0 = no limit
  bool operator==(const EndpointSpec&) const = default;
};

// A name whose records are endpoints.
struct DnsSource {
  enum class Type : std::uint8_t { a, srv };
  enum class Family : std::uint8_t { any, v4, v6 };

  std::string name;
  std::uint16_t port = 0;  // 0: that of the SRV record
  Type type = Type::a;     // a: A and AAAA
  Family family = Family::any;
  base::Duration refresh{0};  // 0: as long as the records may be kept
  int gone_after = 1;         // answers in a row that do not name an address, until it leaves
  // So long there must be no such name, or no address of it, until all leave; none: for ever.
  std::optional<base::Duration> nx_hold = std::chrono::seconds{30};
  // After an address was last named: until then its connections and what is known of it stay.
  base::Duration forget_after = std::chrono::minutes{10};
  // Of every endpoint. With srv, weight and priority are those of the record.
  std::uint32_t weight = 1;
  std::uint8_t priority = 0;
  std::uint32_t max_connections = 0;
  bool operator==(const DnsSource&) const = default;
};
inline constexpr base::EnumNames<DnsSource::Type, 2> dns_type_names{{"a", "srv"}};
static_assert(dns_type_names[DnsSource::Type::srv] == "srv");
inline constexpr base::EnumNames<DnsSource::Family, 3> dns_family_names{{"any", "v4", "v6"}};
static_assert(dns_family_names[DnsSource::Family::v6] == "v6");

// A file that lists endpoints and is watched.
struct FileSource {
  std::string path;  // absolute, or relative to the working directory
  bool operator==(const FileSource&) const = default;
};

// One entry of `endpoints`.
using EndpointSource = std::variant<EndpointSpec, DnsSource, FileSource>;

struct ConnectOptions {
  base::Duration timeout = std::chrono::seconds{2};  // per attempt
  int attempts = 3;  // each takes another endpoint where there is one
  static constexpr int ready_max = 64;
  int ready = 0;  // sockets that each forwarder keeps connected to each endpoint
  std::optional<os::IpEndpoint> source;  // the local address to connect from
  bool operator==(const ConnectOptions&) const = default;
};

// Passive health: who fails so often in a row gets no new connections for a while.
struct OutlierOptions {
  std::uint32_t consecutive_failures = 5;
  base::Duration ejection = std::chrono::seconds{30};  // of the first time; it doubles
  double max_ejected = 0.5;                            // share of the endpoints, rounded down
  bool operator==(const OutlierOptions&) const = default;
};

struct QueueOptions {
  std::size_t size = 0;  // 0 = nobody waits
  base::Duration timeout = std::chrono::seconds{5};
  bool operator==(const QueueOptions&) const = default;
};

struct ClusterSpec {
  std::string name;
  Balance balance = Balance::round_robin;
  HashKey hash_key = HashKey::source;
  std::vector<EndpointSpec> endpoints;  // the static ones: what a fresh start knows
  std::vector<EndpointSource> sources;  // all entries, in the order of the configuration
  ConnectOptions connect;
  std::optional<OutlierOptions> outlier;
  double panic_threshold = 0;         // share of usable endpoints; 0 = never
  std::uint32_t max_connections = 0;  // of all endpoints together; 0 = no limit
  QueueOptions queue;
  base::Duration slow_start{0};
  RemovalPolicy on_down = RemovalPolicy::keep;  // never `drain`
  RemovalPolicy on_remove = RemovalPolicy::drain;
  std::optional<HealthSpec> health_check;  // without one, every endpoint counts as up
  bool operator==(const ClusterSpec&) const = default;
};

}  // namespace penstock::upstream

#pragma once
// Endpoints as an upstream lists them, and as a file of endpoints does.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/parts.hpp"

namespace penstock::config {

// Reads literal endpoints of one list, which must not name one twice.
class StaticEndpoints {
 public:
  enum class Where { upstream, file };
  StaticEndpoints(ConfigReading& reading, Where where) : reading_{reading}, where_{where} {}

  // An address, or a map with one. Nothing after a fault.
  std::optional<upstream::EndpointSpec> read(const YamlPlace& place);

 private:
  std::optional<upstream::EndpointSpec> read_map(const YamlPlace& place);
  // `named_at` is where the identity is written.
  bool is_new(const std::string& identity, const YamlPlace& place, const YamlPlace& named_at);
  bool read_address(const YamlPlace& place, os::SocketAddress& address);

  ConfigReading& reading_;
  const Where where_;
  std::map<std::string, std::string> places_;  // by identity: the path of the first
};

// The key `endpoints` of an upstream.
void read_endpoints(MapReader& reader, ReadUpstream& upstream);

}  // namespace penstock::config

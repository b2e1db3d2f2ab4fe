#pragma once
// Endpoints as an upstream lists them, and as a file of endpoints does.

#include <map>
#include <string>
#include <vector>

#include "control/config_parts.hpp"

namespace penstock::control {

// Reads literal endpoints of one list, which must not name one twice.
class StaticEndpoints {
 public:
  explicit StaticEndpoints(ConfigReading& reading) : reading_{reading} {}

  // An address, or a map with one. Nothing after a fault.
  std::optional<upstream::EndpointSpec> read(const YamlPlace& place);

 private:
  std::optional<upstream::EndpointSpec> read_map(const YamlPlace& place);
  bool is_new(const std::string& identity, const YamlPlace& place);

  ConfigReading& reading_;
  std::map<std::string, std::string> places_;  // by identity: the path of the first
};

// The key `endpoints` of an upstream.
void read_endpoints(MapReader& reader, ReadUpstream& upstream);

}  // namespace penstock::control

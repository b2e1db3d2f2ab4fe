#include "config/endpoints.hpp"
#include "config/scalars.hpp"

namespace penstock::config {

ReadUpstream read_upstream(ConfigReading& reading, const std::string& name,
                           const YamlPlace& place) {
  ReadUpstream upstream;
  if (std::string fault = parse_label(name, upstream.spec.name); !fault.empty())
    reading.report(place, "the name of this upstream: " + fault);
  MapReader reader{reading, place};
  read_balancing(reader, upstream.spec);
  read_endpoints(reader, upstream);
  // With nothing below it, it is absent, like every empty section.
  const auto health_check = reader.find("health_check");
  if (health_check && health_check->node->kind != YamlNode::Kind::null) {
    upstream::HealthSpec& check = upstream.spec.health_check.emplace();
    check.source = upstream.spec.connect.source;
    read_health_check(reading, *health_check, check);
  }
  reader.finish();
  return upstream;
}

}  // namespace penstock::config

#include <algorithm>

#include "base/limits.hpp"
#include "control/config_parts.hpp"
#include "control/config_scalars.hpp"

namespace penstock::control {

namespace {

// Collects the endpoints of one upstream. What DNS says twice, or says after an entry that stands
// in the file, merges silently: the first one's attributes win. The file itself must not repeat
// one.
class EndpointList {
 public:
  EndpointList(ConfigReading& reading, ReadUpstream& upstream)
      : reading_{reading}, upstream_{upstream} {}

  void add_static(upstream::EndpointSpec endpoint, const YamlPlace& place) {
    for (std::size_t i = 0; i < size(); ++i) {
      const bool is_same = upstream_.spec.endpoints[i].identity == endpoint.identity;
      if (is_same && !is_discovered_[i])
        return reading_.report(place, quoted(endpoint.identity) + " is an endpoint already, at " +
                                          upstream_.endpoints[i].place.path);
      if (is_same || (is_discovered_[i] && is_at(i, endpoint.address))) return;
    }
    add(std::move(endpoint), place, false);
  }

  void add_discovered(const os::SocketAddress& address, const YamlPlace& place) {
    for (std::size_t i = 0; i < size(); ++i)
      if (is_at(i, address) || upstream_.spec.endpoints[i].identity == address.to_string()) return;
    add({.identity = address.to_string(), .address = address}, place, true);
  }

 private:
  std::size_t size() const { return upstream_.spec.endpoints.size(); }
  bool is_at(std::size_t index, const os::SocketAddress& address) const {
    return upstream_.spec.endpoints[index].address == address;
  }
  void add(upstream::EndpointSpec endpoint, const YamlPlace& place, bool is_discovered) {
    upstream_.endpoints.push_back({endpoint.address, place});
    upstream_.spec.endpoints.push_back(std::move(endpoint));
    is_discovered_.push_back(is_discovered);
  }

  ConfigReading& reading_;
  ReadUpstream& upstream_;
  std::vector<bool> is_discovered_;
};

// Reports, and leaves `address` alone, where the text is none.
bool read_address(ConfigReading& reading, const YamlPlace& place, os::SocketAddress& address) {
  const auto parse = [](std::string_view text, os::SocketAddress& target) {
    FoundAddresses found = parse_endpoint(text);
    if (found.fault.empty()) target = std::move(found.addresses.front());
    return found.fault;
  };
  return reading.read(place, address, parse);
}

void read_static(MapReader& reader, const YamlPlace& place, EndpointList& list) {
  upstream::EndpointSpec endpoint;
  bool is_good = false;
  if (const auto address = reader.require("address"))
    is_good = read_address(reader.reading(), *address, endpoint.address);
  endpoint.identity = endpoint.address.to_string();
  reader.optional("weight", endpoint.weight, integer_between(0, base::weight_max));
  reader.optional("name", endpoint.identity, parse_label);
  reader.not_supported({"max_connections", "backup", "priority"});
  if (is_good) list.add_static(std::move(endpoint), place);
}

std::string parse_record_type(std::string_view text, bool& is_addresses) {
  if (text == "srv") return quoted(text) + " is not supported yet";
  if (text != "a") return "expected a, not " + quoted(text);
  is_addresses = true;
  return {};
}

void read_dns(MapReader& reader, const YamlPlace& dns, EndpointList& list) {
  ConfigReading& reading = reader.reading();
  bool is_addresses = !reader.has("type");
  reader.optional("type", is_addresses, parse_record_type);
  reader.not_supported({"refresh"});
  for (const std::string_view key : {"address", "weight", "name"}) {
    if (!reader.has(key)) continue;
    static_cast<void>(reader.find(key));
    reader.report_key(key, "cannot stand beside dns");
  }
  const auto text = reading.text_of(dns);
  if (!text || !is_addresses) return;
  FoundAddresses found = parse_dns(*text, reading.resolve_names());
  if (!found.fault.empty()) return reading.report(dns, std::move(found.fault));
  for (const os::SocketAddress& address : found.addresses) list.add_discovered(address, dns);
}

void read_endpoint(ConfigReading& reading, const YamlPlace& place, EndpointList& list) {
  if (place.node->kind == YamlNode::Kind::scalar) {
    upstream::EndpointSpec endpoint;
    if (!read_address(reading, place, endpoint.address)) return;
    endpoint.identity = endpoint.address.to_string();
    return list.add_static(std::move(endpoint), place);
  }
  if (place.node->kind != YamlNode::Kind::map)
    return reading.report_type(place, "an address or a map");
  MapReader reader{reading, place};
  reader.not_supported({"file"});
  if (reader.has("dns"))
    read_dns(reader, *reader.find("dns"), list);
  else if (!reader.has("file"))
    read_static(reader, place, list);
  reader.finish();
}

void read_endpoints(MapReader& reader, ReadUpstream& upstream) {
  const auto place = reader.require("endpoints");
  if (!place) return;
  ConfigReading& reading = reader.reading();
  const auto items = reading.items_of(*place);
  if (place->node->kind == YamlNode::Kind::list && items.empty())
    reading.report(*place, "expected at least one endpoint");
  if (items.size() > base::endpoints_max)
    return reading.report(*place,
                          "more than " + std::to_string(base::endpoints_max) + " endpoints");
  EndpointList list{reading, upstream};
  for (const YamlPlace& item : items) read_endpoint(reading, item, list);
}

}  // namespace

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
  if (health_check && health_check->node->kind != YamlNode::Kind::null)
    read_health_check(reading, *health_check, upstream.spec.health_check.emplace());
  reader.not_supported({"proxy_protocol"});
  reader.finish();
  return upstream;
}

}  // namespace penstock::control

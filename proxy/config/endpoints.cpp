#include "config/endpoints.hpp"

#include "base/limits.hpp"
#include "config/scalars.hpp"

namespace penstock::config {

namespace {

constexpr std::uint64_t endpoint_priority_max = 15;
constexpr std::uint64_t gone_after_max = 100;
constexpr base::Duration refresh_min = std::chrono::seconds{1};

// What a map must not have besides. The keys are known all the same.
void forbid(MapReader& reader, std::initializer_list<std::string_view> keys,
            const std::string& sentence) {
  for (const std::string_view key : keys)
    if (reader.has(key) && reader.find(key)) reader.report_key(key, sentence);
}

// The share and the turn of an endpoint. `backup` is another word for a priority.
template <class Target>
void read_rank(MapReader& reader, Target& target) {
  reader.optional("weight", target.weight, integer_between(0, base::weight_max));
  const MapReader::HiddenDefaults hidden{reader, reader.has("backup")};
  const bool has_priority =
      reader.optional("priority", target.priority, integer_between(0, endpoint_priority_max));
  bool is_backup = false;
  const MapReader::HiddenDefaults said_by_priority{reader};
  if (reader.optional("backup", is_backup, parse_boolean) && has_priority)
    return reader.report_key("backup", "cannot stand beside priority; a backup has priority 1");
  if (is_backup) target.priority = 1;
}

template <class Target>
void read_limit(MapReader& reader, Target& target) {
  reader.optional("max_connections", target.max_connections, integer_between(0, connections_max));
}

std::string parse_refresh(std::string_view text, base::Duration& target) {
  if (text == "0" || text == "0s") {
    target = base::Duration{0};
    return {};
  }
  return duration_between(refresh_min, duration_max)(text, target);
}

std::string parse_hold(std::string_view text, std::optional<base::Duration>& target) {
  if (text == "off") {
    target.reset();
    return {};
  }
  base::Duration hold{0};
  if (!parse_duration(text, hold).empty())
    return "expected off or a duration, not " + base::in_quotes(text);
  target = hold;
  return {};
}

upstream::DnsSource read_dns(MapReader& reader, const YamlPlace& dns) {
  upstream::DnsSource source;
  reader.optional("type", source.type, word_of(upstream::dns_type_names));
  reader.optional("refresh", source.refresh, parse_refresh);
  reader.optional("family", source.family, word_of(upstream::dns_family_names));
  reader.optional("gone_after", source.gone_after, integer_between(1, gone_after_max));
  reader.optional("nx_hold", source.nx_hold, parse_hold);
  reader.optional("forget_after", source.forget_after, parse_duration);
  read_limit(reader, source);
  const bool is_service = source.type == upstream::DnsSource::Type::srv;
  if (is_service)
    forbid(reader, {"weight", "priority", "backup"},
           "cannot stand beside type: srv, whose records state it");
  else
    read_rank(reader, source);
  forbid(reader, {"address", "name", "file"}, "cannot stand beside dns");
  const auto parse = [&](std::string_view text, upstream::DnsSource& target) {
    return parse_dns(text, is_service, target.name, target.port);
  };
  reader.reading().read(dns, source, parse);
  return source;
}

upstream::FileSource read_file(MapReader& reader, const YamlPlace& file) {
  upstream::FileSource source;
  std::string text;
  if (reader.reading().read(file, text, parse_label)) source.path = reader.reading().path_of(text);
  forbid(reader,
         {"address", "name", "weight", "priority", "backup", "max_connections", "type", "refresh",
          "family", "gone_after", "nx_hold", "forget_after"},
         "cannot stand beside file; it belongs into the file");
  return source;
}

// Where the address of a good endpoint is written.
YamlPlace address_place(ConfigReading& reading, const YamlPlace& place) {
  if (place.node->kind != YamlNode::Kind::map) return place;
  return *MapReader{reading, place}.find("address");
}

void read_endpoint(StaticEndpoints& statics, ConfigReading& reading, const YamlPlace& place,
                   ReadUpstream& upstream) {
  if (place.node->kind == YamlNode::Kind::map) {
    MapReader reader{reading, place};
    auto& sources = upstream.spec.sources;
    if (reader.has("dns"))
      sources.emplace_back(read_dns(reader, *reader.find("dns")));
    else if (reader.has("file"))
      sources.emplace_back(read_file(reader, *reader.find("file")));
    if (reader.has("dns") || reader.has("file")) return reader.finish();
  }
  auto endpoint = statics.read(place);
  if (!endpoint) return;
  upstream.endpoints.push_back({endpoint->address, address_place(reading, place)});
  upstream.spec.endpoints.push_back(*endpoint);
  upstream.spec.sources.emplace_back(std::move(*endpoint));
}

}  // namespace

std::optional<upstream::EndpointSpec> StaticEndpoints::read(const YamlPlace& place) {
  if (place.node->kind == YamlNode::Kind::map) return read_map(place);
  if (place.node->kind != YamlNode::Kind::scalar) {
    reading_.report_type(place, "an address or a map");
    return std::nullopt;
  }
  upstream::EndpointSpec endpoint;
  if (!read_address(place, endpoint.address)) return std::nullopt;
  endpoint.identity = endpoint.address.to_string();
  if (!is_new(endpoint.identity, place, place)) return std::nullopt;
  return endpoint;
}

std::optional<upstream::EndpointSpec> StaticEndpoints::read_map(const YamlPlace& place) {
  MapReader reader{reading_, place};
  upstream::EndpointSpec endpoint;
  bool is_good = false;
  const auto address = reader.require("address");
  if (address) is_good = read_address(*address, endpoint.address);
  endpoint.identity = endpoint.address.to_string();
  const auto name = reader.find("name");
  if (name) reading_.read_name(*name, endpoint.identity);
  read_rank(reader, endpoint);
  read_limit(reader, endpoint);
  if (where_ == Where::file)
    forbid(reader, {"dns", "file"}, "cannot stand in a file of endpoints, which lists addresses");
  reader.finish();
  if (!is_good || !is_new(endpoint.identity, place, name ? *name : *address)) return std::nullopt;
  return endpoint;
}

// Reports, and leaves `address` alone, where the text is none.
bool StaticEndpoints::read_address(const YamlPlace& place, os::SocketAddress& address) {
  const auto parse = [this](std::string_view text, os::SocketAddress& target) {
    FoundAddresses found = parse_endpoint(text, where_ == Where::upstream);
    if (found.fault.empty()) target = std::move(found.addresses.front());
    return found.fault;
  };
  return reading_.read(place, address, parse);
}

bool StaticEndpoints::is_new(const std::string& identity, const YamlPlace& place,
                             const YamlPlace& named_at) {
  const auto [first, is_new] = places_.emplace(identity, place.path);
  if (!is_new)
    reading_.report_shown(place, base::in_quotes(ConfigReading::shown(named_at, identity)) +
                                     " is an endpoint already, at " + first->second);
  return is_new;
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
  StaticEndpoints statics{reading, StaticEndpoints::Where::upstream};
  for (const YamlPlace& item : items) read_endpoint(statics, reading, item, upstream);
}

}  // namespace penstock::config
